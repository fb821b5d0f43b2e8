package appset

import "strings"

// bracket matches a byte with a set as [a-z], of which the opening bracket is cut.
// It returns the pattern from the closing bracket on, and whether the set is one.
func bracket(pattern string, char byte) (rest string, found, ok bool) {
	at := func(i int) byte {
		if i < len(pattern) {
			return pattern[i]
		}
		return 0
	}
	i := 0
	negated := at(i) == '!' || at(i) == '^'
	if negated {
		i++
	}
	var before byte
	for first := true; first || at(i) != ']'; first = false {
		current := at(i)
		switch {
		case current == 0:
			return "", false, false
		case current == '\\':
			i++
			if current = at(i); current == 0 {
				return "", false, false
			}
			found = found || char == current
		case current == '-' && before != 0 && at(i+1) != 0 && at(i+1) != ']':
			i++
			if current = at(i); current == '\\' {
				i++
				if current = at(i); current == 0 {
					return "", false, false
				}
			}
			found = found || before <= char && char <= current
			current = 0
		case current == '[' && at(i+1) == ':':
			end := strings.IndexByte(pattern[i+2:], ']')
			if end < 0 {
				return "", false, false
			}
			name, isClass := strings.CutSuffix(pattern[i+2:i+2+end], ":")
			if !isClass {
				found = found || char == '['
				break
			}
			belongs, known := class(name, char)
			if !known {
				return "", false, false
			}
			found = found || belongs
			i += 2 + end
			current = 0
		default:
			found = found || char == current
		}
		before = current
		i++
	}
	return pattern[i:], found != negated, true
}

// class reports whether a byte belongs to a class of characters, and whether git
// knows the class.
func class(name string, c byte) (belongs, known bool) {
	lower, upper, digit := 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9'
	space := c == ' ' || '\t' <= c && c <= '\r'
	graph := '!' <= c && c <= '~'
	belongs, known = map[string]bool{
		"alnum": lower || upper || digit, "alpha": lower || upper, "digit": digit,
		"lower": lower, "upper": upper, "space": space, "blank": c == ' ' || c == '\t',
		"graph": graph, "print": graph || c == ' ', "cntrl": c < ' ' || c == 0x7f,
		"punct":  graph && !lower && !upper && !digit,
		"xdigit": digit || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F',
	}[name]
	return belongs, known
}
