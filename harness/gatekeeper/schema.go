package gatekeeper

import (
	"encoding/json"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// What the parameters are for, in the schema and in the comments of a
// constraint.
var descriptions = map[string]string{
	"envVar":       "The variable that decides.",
	"skipValues":   "The values that keep the service from migrating.",
	"controllers":  "Which workloads are controllers: a name, a label or a container matches.",
	"exemptImages": "Images that are not judged, exact or with a trailing *.",
}

// schema is the schema of spec.parameters. What data.lib.parameters.problems
// says of a parameter, the API server says by this, before the constraint can
// do harm: a constraint that cannot be used denies every workload.
//
// Structural schemas cannot refuse unknown keys: they drop them, and a typo
// would disarm the contract without a word. So unknown keys are kept, each
// known key has a default, and no more keys than the known ones may be there
// once the defaults are filled in.
func schema(defaults Parameters) *apiextensions.JSONSchemaProps {
	properties := map[string]apiextensions.JSONSchemaProps{
		"envVar": {
			Type: "string", MinLength: new(int64(1)),
			Pattern: `^[-._a-zA-Z][-._a-zA-Z0-9]*$`,
			Default: value(defaults.EnvVar),
		},
		"skipValues": list(1, defaults.SkipValues, apiextensions.JSONSchemaProps{
			Description: "In lower case, in ASCII, without $ and without white space around it. Not auto.",
			Pattern:     `^[!-#%-@\[-~]([ -#%-@\[-~]*[!-#%-@\[-~])?$`,
			Not:         &apiextensions.JSONSchemaProps{Enum: []apiextensions.JSON{*value("auto")}},
		}),
		"controllers": list(1, defaults.Controllers, apiextensions.JSONSchemaProps{
			Description: "A name; * stands for any text.",
		}),
		"exemptImages": list(0, defaults.ExemptImages, apiextensions.JSONSchemaProps{
			Description: "The image as the container has it, or its beginning and *.",
		}),
	}
	for name, property := range properties {
		property.Description = descriptions[name]
		properties[name] = property
	}
	return &apiextensions.JSONSchemaProps{
		Type:                   "object",
		Description:            "What the contract binds. Another key is refused as one too many, for these are always there, with their defaults.",
		Default:                value(struct{}{}),
		Properties:             properties,
		MaxProperties:          new(int64(len(properties))),
		XPreserveUnknownFields: new(true),
	}
}

// list is the schema of a list of strings that are not empty.
func list(atLeast int64, defaults []string, item apiextensions.JSONSchemaProps) apiextensions.JSONSchemaProps {
	item.Type, item.MinLength = "string", new(int64(1))
	of := apiextensions.JSONSchemaProps{
		Type: "array", Default: value(defaults),
		Items: &apiextensions.JSONSchemaPropsOrArray{Schema: &item},
	}
	if atLeast > 0 {
		of.MinItems = &atLeast
	}
	return of
}

// value is a value of a schema.
func value(of any) *apiextensions.JSON {
	raw, err := json.Marshal(of)
	if err != nil {
		panic(err) // strings and lists of them only
	}
	return &apiextensions.JSON{Raw: raw}
}
