package surface

import (
	"reflect"
	"slices"
	"testing"

	"github.com/Masterminds/sprig/v3"
)

// computed are the functions whose maps and lists are made of scalars: what is
// asked of them is asked of those scalars.
var computed = []string{
	"split", "splitn", "splitList", "regexFindAll", "regexSplit", "until", "untilStep", "seq", "getHostByName",
	"urlParse", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert",
	"genSignedCertWithKey", "buildCustomCert", "osArgs", "semver",
}

// TestFunctionsAreKnown looks for functions that templates can call, that give
// maps and lists, and that would be followed as if they made a scalar.
func TestFunctionsAreKnown(t *testing.T) {
	known := functions()
	for name, function := range sprig.TxtFuncMap() {
		typ := reflect.TypeOf(function)
		var kinds []reflect.Kind
		for i := range typ.NumOut() {
			kinds = append(kinds, typ.Out(i).Kind())
		}
		structured := slices.ContainsFunc(kinds, func(kind reflect.Kind) bool {
			return kind == reflect.Map || kind == reflect.Slice || kind == reflect.Interface || kind == reflect.Pointer
		})
		// An error is the last result of the functions that can fail.
		if len(kinds) == 2 && kinds[0] != reflect.Interface && kinds[0] != reflect.Map && kinds[0] != reflect.Slice {
			structured = false
		}
		if _, ok := known[plain(name)]; !structured || ok || slices.Contains(computed, plain(name)) || slices.Contains(computed, name) {
			continue
		}
		t.Errorf("%s, a %v, is followed as if it made a scalar", name, typ)
	}
}
