package adopt

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// deployment is a Deployment with a container for each line "name image VARIABLE=value…";
// a value of ? is none that is written there.
func deployment(name string, containers ...string) string {
	text := fmt.Sprintf("---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %q}\nspec:\n  template:\n    spec:\n      containers:\n", name)
	for _, container := range containers {
		words := strings.Fields(container)
		text += fmt.Sprintf("      - name: %s\n        image: %q\n        env:\n", words[0], words[1])
		for _, variable := range words[2:] {
			name, value, _ := strings.Cut(variable, "=")
			if value == "?" {
				text += fmt.Sprintf("        - {name: %s, valueFrom: {configMapKeyRef: {name: a, key: b}}}\n", name)
			} else {
				text += fmt.Sprintf("        - {name: %s, value: %q}\n", name, value)
			}
		}
		text += "        - {name: LOG, value: debug}\n"
	}
	return text
}

// held is a target with objects.
func held(t *testing.T, path string, texts ...string) check.Held {
	t.Helper()
	objects, err := manifest.Read([]byte(strings.Join(texts, "")))
	if err != nil {
		t.Fatal(err)
	}
	return check.Held{Path: path, Objects: objects}
}

const (
	theDefault = "*-controllers, *-controllers-*"
	skips      = "skip, disabled, false, 0, off"
	skipsBy    = "the default; --skip-value says others"
)

func TestLook(t *testing.T) {
	for _, test := range []struct {
		name  string
		held  []check.Held
		given map[string][]string
		want  *Service
		err   string
	}{
		{
			name: "the defaults",
			held: []check.Held{held(t, "a", deployment("x", "m acme/x JANGAR_MIGRATIONS=auto"), deployment("x-controllers", "m acme/x JANGAR_MIGRATIONS=skip"))},
			want: &Service{Parameters: map[string][]string{}, Facts: []Fact{
				{"variable", "JANGAR_MIGRATIONS", "container m of Deployment/x in a and 1 more declare it"},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
			}},
		},
		{
			name: "the default with a value that is no mode",
			held: []check.Held{held(t, "a", deployment("x-controllers", "m acme/x JANGAR_MIGRATIONS=/typo"))},
			want: &Service{Parameters: map[string][]string{}, Facts: []Fact{
				{"variable", "JANGAR_MIGRATIONS", "container m of Deployment/x-controllers in a declares it"},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
			}},
		},
		{
			name: "a value from elsewhere, and one of a container that holds no service",
			held: []check.Held{held(t, "a", deployment("x-controllers", "m acme/x:1@sha256:00 RUN_MIGRATIONS=?", "p busybox OTHER_MIGRATIONS=auto"))},
			want: &Service{Parameters: map[string][]string{"envVar": {"RUN_MIGRATIONS"}}, Facts: []Fact{
				{"variable", "RUN_MIGRATIONS", "container m of Deployment/x-controllers in a declares it"},
				{"skip values", skips, skipsBy},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
			}},
		},
		{
			name: "no value that switches, and nothing else",
			held: []check.Held{held(t, "a", deployment("x-controllers", "m acme/x MIGRATIONS_DIR=/migrations"))},
			err:  "which variable decides? No container that was rendered declares one whose name has MIGRAT in it, and no file names one. Name it by --env-var, as in --env-var JANGAR_MIGRATIONS",
		},
		{
			name: "it is called controllers in another way, and by tags and digests of one image",
			held: []check.Held{held(t, "a",
				deployment("x", "m reg.example:5000/acme/x:1 RUN_MIGRATIONS=auto"),
				deployment("x-controller-manager", "m reg.example:5000/acme/x@sha256:00"),
				deployment("Controller", "m reg.example:5000/acme/x"),
			)},
			want: &Service{
				Parameters: map[string][]string{"envVar": {"RUN_MIGRATIONS"}, "controllers": {"*-controllers", "*-controllers-*", "*-controller-manager", "Controller"}},
				Facts: []Fact{
					{"variable", "RUN_MIGRATIONS", "container m of Deployment/x in a declares it"},
					{"skip values", skips, skipsBy},
					{"controllers", theDefault + ", *-controller-manager, Controller", "the default, and more for Deployment/x-controller-manager in a and 1 more"},
				},
			},
		},
		{
			name: "somebody else's is called so too, so the name stands alone",
			held: []check.Held{
				held(t, "a", deployment("x-controller", "m acme/x RUN_MIGRATIONS=auto"), deployment("x-controllers", "m acme/x RUN_MIGRATIONS=auto")),
				held(t, "b", deployment("cert-controller", "m cert/cert")),
			},
			want: &Service{
				Parameters: map[string][]string{"envVar": {"RUN_MIGRATIONS"}, "controllers": {"*-controllers", "*-controllers-*", "x-controller"}},
				Facts: []Fact{
					{"variable", "RUN_MIGRATIONS", "container m of Deployment/x-controller in a and 1 more declare it"},
					{"skip values", skips, skipsBy},
					{"controllers", theDefault + ", x-controller", "the default, and more for Deployment/x-controller in a; Deployment/x-controllers in a matches"},
				},
			},
		},
		{
			name: "two are called so in the same way",
			held: []check.Held{held(t, "a", deployment("x-controller", "m acme/x JANGAR_MIGRATIONS=auto"), deployment("y-controller", "m acme/x JANGAR_MIGRATIONS=auto", "s acme/side"))},
			want: &Service{
				Parameters: map[string][]string{"controllers": {"*-controllers", "*-controllers-*", "*-controller"}},
				Facts: []Fact{
					{"variable", "JANGAR_MIGRATIONS", "container m of Deployment/x-controller in a and 1 more declare it"},
					{"controllers", theDefault + ", *-controller", "the default, and more for Deployment/x-controller in a and 1 more"},
				},
				Notes: []string{
					"container s of Deployment/y-controller in a is bound, and its image acme/side declares the variable nowhere: if it holds no service, the constraint must say so: --exempt-image names such images, and --image those of the service",
				},
			},
		},
		{
			name: "a container that holds no service declares the variable",
			held: []check.Held{held(t, "a",
				deployment("x-controllers", "m acme/x JANGAR_MIGRATIONS=skip"),
				deployment("y-controller", "p busybox JANGAR_MIGRATIONS=skip", "m other/y"),
			)},
			want: &Service{Parameters: map[string][]string{}, Facts: []Fact{
				{"variable", "JANGAR_MIGRATIONS", "container m of Deployment/x-controllers in a declares it"},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
			}},
		},
		{
			name: "only somebody else's is called controllers",
			held: []check.Held{held(t, "a", deployment("x", "m acme/x RUN_MIGRATIONS=auto"), deployment("calico-controllers", "m other/calico"))},
			err: "which workloads are the controllers? None has a name with controller in it, as in *-controllers and *-controllers-*. Name them by --controllers NAME, where * stands for any text. The service runs in:\n" +
				"  Deployment/x in a: RUN_MIGRATIONS is \"auto\"",
		},
		{
			name: "nobody is called controllers: each workload of the service with its values",
			held: []check.Held{held(t, "a\n::error::b",
				deployment("x\n::error::y", "m acme/x RUN_MIGRATIONS=skip", "n acme/x RUN_MIGRATIONS=auto", "o acme/x RUN_MIGRATIONS=skip"),
				deployment("y", "m acme/x RUN_MIGRATIONS="+strings.Repeat("y", 61)),
				deployment("z", "m acme/x RUN_MIGRATIONS=?", "n acme/x"),
				deployment("other", "m other/x"),
			)},
			err: "which workloads are the controllers? None has a name with controller in it, as in *-controllers and *-controllers-*. Name them by --controllers NAME, where * stands for any text. The service runs in:\n" +
				"  Deployment/x\\n::error::y in a\\n::error::b: RUN_MIGRATIONS is \"auto\", RUN_MIGRATIONS is \"skip\"\n" +
				"  Deployment/y in a\\n::error::b: RUN_MIGRATIONS is \"" + strings.Repeat("y", 60) + "…\"\n" +
				"  Deployment/z in a\\n::error::b",
		},
		{
			name: "a pattern begins with the first controller of a name",
			held: []check.Held{held(t, "a", deployment("x-controller-of-controller", "m acme/x JANGAR_MIGRATIONS=skip"))},
			want: &Service{Parameters: map[string][]string{"controllers": {"*-controllers", "*-controllers-*", "*-controller-of-controller"}}, Facts: []Fact{
				{"variable", "JANGAR_MIGRATIONS", "container m of Deployment/x-controller-of-controller in a declares it"},
				{"controllers", theDefault + ", *-controller-of-controller", "the default, and more for Deployment/x-controller-of-controller in a"},
			}},
		},
		{
			name: "a container without an image declares the variable",
			held: []check.Held{held(t, "a",
				deployment("x", "m acme/x JANGAR_MIGRATIONS=auto"),
				"---\nkind: Deployment\napiVersion: apps/v1\nmetadata: {name: x-controllers}\nspec: {template: {spec: {containers: [{name: m, env: [{name: JANGAR_MIGRATIONS, value: skip}]}]}}}\n",
				"---\nkind: Deployment\napiVersion: apps/v1\nmetadata: {name: y-controllers}\nspec: {template: {spec: {containers: [{name: m}]}}}\n",
			)},
			want: &Service{Parameters: map[string][]string{}, Facts: []Fact{
				{"variable", "JANGAR_MIGRATIONS", "container m of Deployment/x in a and 1 more declare it"},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
			}, Notes: []string{
				"Deployment/y-controllers in a is bound, and has no image of the service (acme/x): if it holds no service, the constraint must say so: --exempt-image names such images, and --image those of the service",
			}},
		},
		{
			name: "no container that declares the variable has an image",
			held: []check.Held{held(t, "a",
				"---\nkind: Deployment\napiVersion: apps/v1\nmetadata: {name: x-controllers}\nspec: {template: {spec: {containers: [{name: m, env: [{name: JANGAR_MIGRATIONS, value: skip}]}]}}}\n",
				deployment("y-controllers", "m other/y"),
			)},
			want: &Service{Parameters: map[string][]string{}, Facts: []Fact{
				{"variable", "JANGAR_MIGRATIONS", "container m of Deployment/x-controllers in a declares it"},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
			}},
		},
		{
			name: "what is bound and may be none of the service's",
			held: []check.Held{held(t, "a",
				deployment("x-controllers", "m acme/x JANGAR_MIGRATIONS=skip", "s acme/side", "p busybox"),
				deployment("y-controllers", "m other/y"),
			)},
			want: &Service{Parameters: map[string][]string{}, Facts: []Fact{
				{"variable", "JANGAR_MIGRATIONS", "container m of Deployment/x-controllers in a declares it"},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
			}, Notes: []string{
				"container s of Deployment/x-controllers in a is bound, and its image acme/side declares the variable nowhere: if it holds no service, the constraint must say so: --exempt-image names such images, and --image those of the service",
				"Deployment/y-controllers in a is bound, and has no image of the service (acme/x): if it holds no service, the constraint must say so: --exempt-image names such images, and --image those of the service",
			}},
		},
		{
			name:  "the images say so",
			held:  []check.Held{held(t, "a", deployment("x-controllers", "m acme/x JANGAR_MIGRATIONS=skip", "s acme/side"), deployment("y-controllers", "m other/y OTHER_MIGRATIONS=auto"))},
			given: map[string][]string{"images": {"acme/x"}},
			want: &Service{Parameters: map[string][]string{"images": {"acme/x"}}, Facts: []Fact{
				{"variable", "JANGAR_MIGRATIONS", "container m of Deployment/x-controllers in a declares it"},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
				{"images", "acme/x", "--image"},
			}},
		},
		{
			name:  "the flags that say what the defaults say",
			held:  []check.Held{held(t, "a", deployment("x-controllers", "m acme/x"))},
			given: map[string][]string{"envVar": {"JANGAR_MIGRATIONS"}, "controllers": {"*-controllers", "*-controllers-*"}, "skipValues": {"skip", "disabled", "false", "0", "off"}},
			want: &Service{Parameters: map[string][]string{}, Facts: []Fact{
				{"variable", "JANGAR_MIGRATIONS", "--env-var; no container declares it"},
				{"skip values", skips, "--skip-value"},
				{"controllers", theDefault, "--controllers; Deployment/x-controllers in a matches"},
			}},
		},
		{
			name:  "a parameter that cannot be one",
			held:  []check.Held{held(t, "a", deployment("x-controllers", "m acme/x"))},
			given: map[string][]string{"envVar": {"A B"}},
			err:   "read parameters: envVar: \"A B\" cannot be the name of an environment variable: use letters, digits, _, - and . only, and do not start with a digit",
		},
		{
			name: "many values of two variables, and names that are no text",
			held: []check.Held{held(t, "a\n::error::b",
				deployment("x\n::error::y", "m acme/x A_MIGRATIONS=auto B_MIGRATIONS=on"),
				deployment("x-controllers", "m acme/x A_MIGRATIONS=1", "n acme/x A_MIGRATIONS=2", "o acme/x A_MIGRATIONS=3", "p acme/x A_MIGRATIONS=4", "q acme/x A_MIGRATIONS=5", "r acme/x A_MIGRATIONS=?"),
			)},
			err: "which variable decides? Containers declare 2 that may. Name one by --env-var; give each of several services a constraint of its own, as docs/several.md of nevermigrate says\n" +
				"  A_MIGRATIONS (\"auto\", \"1\", \"2\", \"3\", \"4\", 2 more), which container m of Deployment/x\\n::error::y in a\\n::error::b and 6 more declare\n" +
				"  B_MIGRATIONS (\"on\"), which container m of Deployment/x\\n::error::y in a\\n::error::b declares",
		},
		{
			name: "ConfigMaps: the name and its prefix together, blanks and capitals, and a Secret of the same name",
			held: []check.Held{held(t, "a",
				"---\nkind: Deployment\napiVersion: apps/v1\nmetadata: {name: x-controllers}\nspec: {template: {spec: {containers: [{name: m, image: acme/x, envFrom: [{configMapRef: {name: env}, prefix: DB_MIGRATIONS_}]}]}}}\n",
				"---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: env}\ndata: {MODE: \" Auto\\n\", DIR: /migrations}\n",
				"---\nkind: Secret\napiVersion: v1\nmetadata: {name: env}\ndata: {OTHER: b24=}\n",
			)},
			want: &Service{Parameters: map[string][]string{"envVar": {"DB_MIGRATIONS_MODE"}}, Facts: []Fact{
				{"variable", "DB_MIGRATIONS_MODE", "container m of Deployment/x-controllers in a declares it"},
				{"skip values", skips, skipsBy},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
			}, Notes: []string{
				"DB_MIGRATIONS_DIR (\"/migrations\"), which container m of Deployment/x-controllers in a declares: that is no value which switches migrations, so it was not taken for the variable; --env-var DB_MIGRATIONS_DIR takes it",
			}},
		},
		{
			name:  "a value that is a skip value by what is given",
			held:  []check.Held{held(t, "a", deployment("x-controllers", "m acme/x A_MIGRATIONS=later"))},
			given: map[string][]string{"skipValues": {"later"}},
			want: &Service{Parameters: map[string][]string{"envVar": {"A_MIGRATIONS"}, "skipValues": {"later"}}, Facts: []Fact{
				{"variable", "A_MIGRATIONS", "container m of Deployment/x-controllers in a declares it"},
				{"skip values", "later", "--skip-value"},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
			}},
		},
		{
			name:  "a given variable whose values are no modes",
			held:  []check.Held{held(t, "a", deployment("x-controllers", "m acme/x A_MIGRATIONS=later B_MIGRATIONS=auto"))},
			given: map[string][]string{"envVar": {"A_MIGRATIONS"}},
			want: &Service{Parameters: map[string][]string{"envVar": {"A_MIGRATIONS"}}, Facts: []Fact{
				{"variable", "A_MIGRATIONS", "--env-var; container m of Deployment/x-controllers in a declares it"},
				{"skip values", skips, skipsBy},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
			}},
		},
		{
			name: "as many values as a message has, and one that is as long as one there can be",
			held: []check.Held{held(t, "a", deployment("x-controllers",
				"m acme/x A_MIGRATIONS=on B_MIGRATIONS=on", "n acme/x A_MIGRATIONS="+strings.Repeat("n", 60), "o acme/x A_MIGRATIONS="+strings.Repeat("o", 61),
				"p acme/x A_MIGRATIONS=3", "q acme/x A_MIGRATIONS=4", "r acme/x A_MIGRATIONS=4"))},
			err: "which variable decides? Containers declare 2 that may. Name one by --env-var; give each of several services a constraint of its own, as docs/several.md of nevermigrate says\n" +
				"  A_MIGRATIONS (\"on\", \"" + strings.Repeat("n", 60) + "\", \"" + strings.Repeat("o", 60) + "…\", \"3\", \"4\"), which container m of Deployment/x-controllers in a and 5 more declare\n" +
				"  B_MIGRATIONS (\"on\"), which container m of Deployment/x-controllers in a declares",
		},
		{
			name: "the name of a variable that is no text",
			held: []check.Held{held(t, "a", "---\nkind: Deployment\napiVersion: apps/v1\nmetadata: {name: x-controllers}\nspec: {template: {spec: {containers: [{name: m, image: acme/x, env: "+
				"[{name: \"MIGRATE\\nNote: b\", value: /x}, {name: JANGAR_MIGRATIONS, value: skip}]}]}}}\n")},
			want: &Service{Parameters: map[string][]string{}, Facts: []Fact{
				{"variable", "JANGAR_MIGRATIONS", "container m of Deployment/x-controllers in a declares it"},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
			}, Notes: []string{
				`MIGRATE\nNote: b ("/x"), which container m of Deployment/x-controllers in a declares: that is no value which switches migrations, so it was not taken for the variable; --env-var MIGRATE\nNote: b takes it`,
			}},
		},
		{
			name: "some of it does not render",
			held: []check.Held{{Path: "b", Reason: "render b: no"}, held(t, "a", deployment("x-controllers", "m acme/x JANGAR_MIGRATIONS=skip"))},
			want: &Service{Parameters: map[string][]string{}, Facts: []Fact{
				{"variable", "JANGAR_MIGRATIONS", "container m of Deployment/x-controllers in a declares it"},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
			}, Notes: []string{"not looked into, so the variable may have another name there: b: render b: no"}},
		},
		{
			name: "much of it does not render",
			held: []check.Held{{Path: "b", Reason: "no"}, {Path: "c", Reason: "no"}, {Path: "d", Reason: "no"}, {Path: "e", Reason: "no"}, {Path: "f", Reason: "no"},
				held(t, "a", deployment("x-controllers", "m acme/x JANGAR_MIGRATIONS=skip"))},
			want: &Service{Parameters: map[string][]string{}, Facts: []Fact{
				{"variable", "JANGAR_MIGRATIONS", "container m of Deployment/x-controllers in a declares it"},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
			}, Notes: []string{
				"not looked into, so the variable may have another name there: b: no",
				"not looked into, so the variable may have another name there: c: no",
				"not looked into, so the variable may have another name there: d: no",
				"2 more are not looked into: nevermigrate list shows them",
			}},
		},
		{
			name: "one more than a message has does not render",
			held: []check.Held{{Path: "b", Reason: "no"}, {Path: "c", Reason: "no"}, {Path: "d", Reason: "no"}, {Path: "e", Reason: "no"},
				held(t, "a", deployment("x-controllers", "m acme/x JANGAR_MIGRATIONS=skip"))},
			want: &Service{Parameters: map[string][]string{}, Facts: []Fact{
				{"variable", "JANGAR_MIGRATIONS", "container m of Deployment/x-controllers in a declares it"},
				{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
			}, Notes: []string{
				"not looked into, so the variable may have another name there: b: no",
				"not looked into, so the variable may have another name there: c: no",
				"not looked into, so the variable may have another name there: d: no",
				"1 more is not looked into: nevermigrate list shows it",
			}},
		},
		{
			name: "nothing renders",
			held: []check.Held{{Path: "b", Reason: "render b: no"}, {Path: "c", Reason: "render c: no"}},
			err:  "nothing renders, so nobody can tell what the service is called: mend that first\nb: render b: no\nc: render c: no",
		},
		{
			name:  "no workload at all",
			held:  []check.Held{held(t, "a", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")},
			given: map[string][]string{"envVar": {"A_MIGRATIONS"}},
			err:   "which workloads are the controllers? None was rendered at all: run init where the apps are",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := maps.Clone(test.given)
			got, err := Look(test.held, test.given)
			if diff := cmp.Diff(before, test.given); diff != "" {
				t.Errorf("what was given is not any more (-before +after):\n%s", diff)
			}
			message := ""
			if err != nil {
				message = err.Error()
			}
			if diff := cmp.Diff(test.err, message); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("service (-want +got):\n%s", diff)
			}
		})
	}
}

// TestManyWorkloads: an error does not list a whole cluster.
func TestManyWorkloads(t *testing.T) {
	var all []string
	for i := range 25 {
		all = append(all, deployment(fmt.Sprintf("x%02d", i), "m acme/x"))
	}
	_, err := Look([]check.Held{held(t, "a", all...)}, map[string][]string{"envVar": {"A_MIGRATIONS"}})
	if err == nil {
		t.Fatal("nobody is called controllers, and there is no error")
	}
	lines := strings.Split(err.Error(), "\n")
	want := []string{"  Deployment/x18 in a", "  Deployment/x19 in a", "  and 5 more"}
	if diff := cmp.Diff(want, lines[len(lines)-3:]); diff != "" || !strings.HasSuffix(lines[0], " There are:") {
		t.Errorf("%s\n%s", lines[0], diff)
	}
}

// TestReversed: the default skip values are not for a variable that says what not to do.
func TestReversed(t *testing.T) {
	for name, want := range map[string]bool{
		"SKIP_MIGRATIONS": true, "AGENTS_SKIP_MIGRATIONS": true, "MIGRATIONS_DISABLED": true, "DISABLE_MIGRATION": true,
		"NO_MIGRATE": true, "DB_MIGRATE_SKIP": true, "skip_migrations": true, "PREVENT_MIGRATIONS": true,
		"AGENTS_MIGRATIONS": false, "NOTIFY_MIGRATIONS": false, "RUN_MIGRATIONS": false, "SKIPPER_MIGRATIONS": false,
	} {
		_, err := Look([]check.Held{held(t, "a", deployment("x-controllers", "m acme/x "+name+"=true"))}, nil)
		if got := err != nil; got != want {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

// TestModeWords: a variable that has such a value switches migrations, and one that has
// another does not.
func TestModeWords(t *testing.T) {
	for value, want := range map[string]bool{
		"": true, "?": true, "auto": true, "true": true, "1": true, "on": true, "yes": true, "no": true, "enabled": true, "enable": true, "disable": true,
		"none": true, "never": true, "always": true, "run": true, "apply": true, "migrate": true,
		"skip": true, "disabled": true, "false": true, "0": true, "off": true,
		"/migrations": false, "30": false, "5m": false, "up": false, "automatic": false,
	} {
		_, err := Look([]check.Held{held(t, "a", deployment("x-controllers", "m acme/x RUN_MIGRATIONS="+value))}, nil)
		if got := err == nil; got != want {
			t.Errorf("%s: the error is %v", value, err)
		}
	}
}

// TestMentions: where no container declares a variable, what files name is taken, and
// each name is told once with its first place.
func TestMentions(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"values.yaml": "env:\n  # A_MIGRATIONS: auto\n  A_MIGRATIONS: auto\n", "template.yaml": "{{ .Values.a_migrations }} B_MIGRATE\nmyC_MIGRATIONS C_MIGRATIONSx MIGRATIONS\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l := &looker{held: []check.Held{{Files: []string{"values.yaml", "gone.yaml"}}, {Files: []string{filepath.Join(".", "template.yaml"), "values.yaml"}}}}
	want := []mention{{"A_MIGRATIONS", "values.yaml", 2}, {"B_MIGRATE", "template.yaml", 1}}
	if diff := cmp.Diff(want, l.mentions(), cmp.AllowUnexported(mention{})); diff != "" {
		t.Errorf("mentions (-want +got):\n%s", diff)
	}
	if got, want := (mention{"A_MIGRATIONS", "a\n::error::b", 1}).String(), `A_MIGRATIONS in a\n::error::b:1`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRepository(t *testing.T) {
	for image, want := range map[string]string{
		"acme/x": "acme/x", "acme/x:1": "acme/x", "acme/x@sha256:0": "acme/x", "acme/x:1@sha256:0": "acme/x",
		"reg.example:5000/acme/x": "reg.example:5000/acme/x", "reg.example:5000/acme/x:1": "reg.example:5000/acme/x", "": "",
	} {
		if got := repository(image); got != want {
			t.Errorf("repository(%q) = %q, want %q", image, got, want)
		}
	}
}

// TestOddObjects: what is no workload, or half of one, is passed over.
func TestOddObjects(t *testing.T) {
	const odd = `
kind: Deployment
apiVersion: apps/v1
metadata: {name: [x], labels: no}
spec: {template: {spec: {containers: [no, {name: 1, image: {}, env: no}, {env: [no, {name: 1}, {value: 1}]}, {envFrom: [no, {configMapRef: no}]}, {envFrom: no}], initContainers: no}}}
---
kind: Deployment
apiVersion: apps/v1
spec: no
---
kind: ConfigMap
apiVersion: v1
data: no
---
kind: ConfigMap
apiVersion: v1
metadata: {name: a}
data: {X_MIGRATIONS: [1]}
---
kind: List
apiVersion: v1
items: no
---
`
	got, err := Look([]check.Held{held(t, "a", odd, deployment("x-controllers", "m acme/x JANGAR_MIGRATIONS=skip"))}, nil)
	want := &Service{Parameters: map[string][]string{}, Facts: []Fact{
		{"variable", "JANGAR_MIGRATIONS", "container m of Deployment/x-controllers in a declares it"},
		{"controllers", theDefault, "the default; Deployment/x-controllers in a matches"},
	}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}
