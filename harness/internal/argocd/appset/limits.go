package appset

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"text/template"
)

// What a template can make. Each call of a function may take and give so much, so
// that nothing grows from call to call; a context is heeded in between.
const (
	// maxText bounds a text, in bytes.
	maxText = 4 << 20
	// maxItems bounds lists that are made of numbers.
	maxItems = 100_000
	// maxWeight bounds a value with all that is in it, counted as often as it stands
	// there: a map or list or number weighs one, a text one for each 64 bytes.
	maxWeight = 200_000
)

var (
	errTooLong = &refusal{"a template makes a text that is longer than 4 MiB", "make it smaller"}
	errTooMany = &refusal{fmt.Sprintf("a template makes a list or text of more than %d items", maxItems), "make it smaller"}
	errTooBig  = &refusal{"a template makes a value that is too large", "make it smaller"}
)

// bound puts functions that make much of little behind a look at their arguments.
// A panic is an error of the template.
func bound(functions template.FuncMap) {
	limit := func(name string, check func(arguments []reflect.Value)) {
		wrap(functions, name, func(call func([]reflect.Value) []reflect.Value, arguments []reflect.Value) []reflect.Value {
			check(arguments)
			return call(arguments)
		})
	}
	numbers := func(arguments []reflect.Value) {
		for _, argument := range arguments {
			if argument.Kind() == reflect.Slice {
				for i := range argument.Len() {
					checkNumber(argument.Index(i))
				}
			} else {
				checkNumber(argument)
			}
		}
	}
	for _, name := range []string{"until", "untilStep", "seq"} {
		limit(name, numbers)
	}
	limit("repeat", func(arguments []reflect.Value) {
		checkNumber(arguments[0])
		checkLength(int(arguments[0].Int()), arguments[1].Len())
	})
	for _, name := range []string{"indent", "nindent"} {
		limit(name, func(arguments []reflect.Value) {
			checkNumber(arguments[0])
			checkLength(int(arguments[0].Int()), 1+strings.Count(arguments[1].String(), "\n"))
		})
	}
	// replace OLD NEW TEXT
	limit("replace", func(arguments []reflect.Value) {
		checkLength(strings.Count(arguments[2].String(), arguments[0].String()), arguments[1].Len())
	})
	// regexReplaceAll REGEX TEXT REPLACEMENT
	for _, name := range []string{"regexReplaceAll", "regexReplaceAllLiteral", "mustRegexReplaceAll", "mustRegexReplaceAllLiteral"} {
		limit(name, func(arguments []reflect.Value) { checkLength(arguments[1].Len()+1, arguments[2].Len()) })
	}
	limit("wrapWith", func(arguments []reflect.Value) { checkLength(arguments[1].Len(), arguments[2].Len()) })
	limit("join", func(arguments []reflect.Value) {
		if list := reflect.Indirect(reflect.ValueOf(arguments[1].Interface())); list.Kind() == reflect.Slice || list.Kind() == reflect.Array {
			checkLength(list.Len(), arguments[0].Len())
		}
	})
	functions["printf"] = fmt.Sprintf
	limit("printf", func(arguments []reflect.Value) {
		format := arguments[0].String()
		if strings.Count(format, "%") > 1000 || wideVerb.MatchString(format) {
			panic(errTooBig)
		}
	})
	functions["print"], functions["println"] = fmt.Sprint, fmt.Sprintln
}

func checkNumber(n reflect.Value) {
	if n.Int() > maxItems || n.Int() < -maxItems {
		panic(errTooMany)
	}
}

func checkLength(times, length int) {
	if length > 0 && times > maxText/length {
		panic(errTooLong)
	}
}

// wideVerb is a verb of a format with a width of five digits, or of an argument.
var wideVerb = regexp.MustCompile(`%[-+# 0-9.\[\]]*([0-9]{5}|\*)`)

// guard puts every function behind a look at the context, at the weight of its
// arguments and at the length of its result.
func (r *renderer) guard(functions template.FuncMap) {
	for name := range functions {
		wrap(functions, name, func(call func([]reflect.Value) []reflect.Value, arguments []reflect.Value) []reflect.Value {
			if r.ctx.Err() != nil {
				panic(context.Cause(r.ctx))
			}
			weight := 0
			for _, argument := range arguments {
				if weigh(argument, &weight); weight > maxWeight {
					panic(errTooBig)
				}
			}
			results := call(arguments)
			if results[0].Kind() == reflect.String && results[0].Len() > maxText {
				panic(errTooLong)
			}
			return results
		})
	}
}

// weigh adds the weight of a value, up to a little more than maxWeight.
func weigh(value reflect.Value, weight *int) {
	if *weight++; *weight > maxWeight {
		return
	}
	switch value.Kind() {
	case reflect.String:
		*weight += value.Len() / 64
	case reflect.Interface, reflect.Pointer:
		if !value.IsNil() {
			weigh(value.Elem(), weight)
		}
	case reflect.Slice, reflect.Array:
		for i := 0; i < value.Len() && *weight <= maxWeight; i++ {
			weigh(value.Index(i), weight)
		}
	case reflect.Map:
		for entry := value.MapRange(); *weight <= maxWeight && entry.Next(); {
			weigh(entry.Key(), weight)
			weigh(entry.Value(), weight)
		}
	}
}

// wrap puts another function around one of the same type.
func wrap(functions template.FuncMap, name string, around func(call func([]reflect.Value) []reflect.Value, arguments []reflect.Value) []reflect.Value) {
	function := reflect.ValueOf(functions[name])
	call := function.Call
	if function.Type().IsVariadic() {
		call = function.CallSlice
	}
	functions[name] = reflect.MakeFunc(function.Type(), func(arguments []reflect.Value) []reflect.Value {
		return around(call, arguments)
	}).Interface()
}
