package pull

import (
	_ "embed"
	"fmt"
	"io"

	"github.com/proompteng/nevermigrate/harness/internal/chartlock"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
)

// Schema is the JSON Schema of what Result.WriteJSON writes.
//
//go:embed vendor.schema.json
var Schema []byte

// Result is what was done.
type Result struct {
	// Lock is the lock, and Written says that it is another one now.
	Lock    string
	Written bool
	Charts  []Chart
	Dropped []chartlock.Chart
	// Unread are the targets whose charts are not all known.
	Unread []check.Unread
}

// WriteText writes a line for each chart, and a count.
func (r *Result) WriteText(w io.Writer) error {
	counts := map[State]int{}
	for _, c := range r.Charts {
		counts[c.State]++
		if err := plaintext.Write(w, plaintext.Line(fmt.Sprintf("%s %s of %s: %s, sha256:%.12s", c.Name, c.Version, c.Repo, c.State, c.SHA256))+"\n"); err != nil {
			return err
		}
	}
	for _, c := range r.Dropped {
		if err := plaintext.Write(w, plaintext.Line(fmt.Sprintf("%s %s of %s: dropped, nothing uses it", c.Name, c.Version, c.Repo))+"\n"); err != nil {
			return err
		}
	}
	written := "is as it was"
	if r.Written {
		written = "is written"
	}
	return plaintext.Write(w, fmt.Sprintf("%s: %d downloaded, %d updated, %d in the cache. %s %s.\n",
		plaintext.Count(len(r.Charts), "chart"), counts[Downloaded], counts[Updated], counts[Cached], plaintext.Line(r.Lock), written))
}

// WriteJSON writes what Schema describes.
func (r *Result) WriteJSON(w io.Writer) error {
	type chart struct {
		Name    string `json:"name"`
		Repo    string `json:"repo"`
		Version string `json:"version"`
		SHA256  string `json:"sha256"`
		State   State  `json:"state,omitempty"`
	}
	type unread struct {
		Path   string `json:"path"`
		Reason string `json:"reason"`
	}
	out := struct {
		Version int      `json:"version"`
		Lock    string   `json:"lock"`
		Written bool     `json:"written"`
		Charts  []chart  `json:"charts"`
		Dropped []chart  `json:"dropped"`
		Unread  []unread `json:"unread"`
	}{1, r.Lock, r.Written, []chart{}, []chart{}, []unread{}}
	for _, c := range r.Charts {
		out.Charts = append(out.Charts, chart{c.Name, c.Repo, c.Version, c.SHA256, c.State})
	}
	for _, c := range r.Dropped {
		out.Dropped = append(out.Dropped, chart{c.Name, c.Repo, c.Version, c.SHA256, ""})
	}
	for _, u := range r.Unread {
		out.Unread = append(out.Unread, unread{u.Path, u.Reason})
	}
	return plaintext.WriteJSON(w, out)
}
