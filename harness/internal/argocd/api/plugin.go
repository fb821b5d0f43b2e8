package api

import (
	"encoding/json"
)

// ApplicationSourcePlugin names a plugin and what it is given.
type ApplicationSourcePlugin struct {
	Name       string `json:"name,omitempty"`
	Env        `json:"env,omitempty"`
	Parameters ApplicationSourcePluginParameters `json:"parameters,omitempty"`
}

// Env are environment variables of a plugin.
type Env []*EnvEntry

// EnvEntry is an environment variable.
type EnvEntry struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ApplicationSourcePluginParameters are the parameters of a plugin.
type ApplicationSourcePluginParameters []ApplicationSourcePluginParameter

// ApplicationSourcePluginParameter is a parameter of a plugin: a text, a map or a list.
type ApplicationSourcePluginParameter struct {
	Name           string  `json:"name,omitempty"`
	String_        *string `json:"string,omitempty"`
	*OptionalMap   `json:",omitempty"`
	*OptionalArray `json:",omitempty"`
}

// OptionalMap is a map that may be empty and set.
type OptionalMap struct {
	Map map[string]string `json:"map"`
}

// OptionalArray is a list that may be empty and set.
type OptionalArray struct {
	Array []string `json:"array"`
}

// MarshalJSON writes a map and a list that are set and empty as such, not as null,
// and the name always.
func (p ApplicationSourcePluginParameter) MarshalJSON() ([]byte, error) {
	out := map[string]any{"name": p.Name}
	if p.String_ != nil {
		out["string"] = p.String_
	}
	if p.OptionalMap != nil {
		out["map"] = p.Map
		if p.Map == nil {
			out["map"] = map[string]string{}
		}
	}
	if p.OptionalArray != nil {
		out["array"] = p.Array
		if p.Array == nil {
			out["array"] = []string{}
		}
	}
	return json.Marshal(out)
}
