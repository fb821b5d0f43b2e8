# METADATA
# scope: package
# title: Patterns, likeness and quoting of strings
package lib.text

_longest := 60

# METADATA
# title: A string in quotes, cut at a length that fits on a line
quoted(text) := sprintf("%q", [text]) if count(text) <= _longest

quoted(text) := sprintf("%q…", [substring(text, 0, _longest)]) if count(text) > _longest

# METADATA
# title: A string as a pattern that matches nothing else
literal(text) := regex.replace(text, `[\\.+*?()|\[\]{}^$-]`, `\$0`)

# METADATA
# title: The expression for the texts that one of some patterns matches as a whole
# description: In a pattern only * is special.
one_of(patterns) := sprintf(`(?s)\A(?:%s)\z`, [concat("|", [_glob(pattern) | some pattern in patterns])])

_glob(pattern) := concat(".*", [literal(part) | some part in split(pattern, "*")])

# METADATA
# title: The expression for an image
# description: >-
#   Matches the image as the container has it, and its repository without
#   registry, tag and digest. What is mirrored keeps the end of its repository, so
#   an entry with a slash matches that too; one without is for what stands at the
#   top of a registry, or in Docker's library.
image(entry) := sprintf(
	`(?s)\A(?:%s|%s%s(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?(?:@.*)?)\z`,
	[_glob(entry), _above(entry), _glob(entry)],
)

# METADATA
# title: The entries without * that match an image
# description: What the expression for an image says, by far faster.
image_names(image) := {image} | {name |
	steps := split(repository, "/")
	some i, _ in steps
	name := concat("/", array.slice(steps, i, count(steps)))
	_may_stand_alone(name, array.slice(steps, 0, i))
} if {
	repository := regex.replace(image, `(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?(?:@(?s:.*))?$`, "")
}

_may_stand_alone(name, _) if contains(name, "/")

_may_stand_alone(_, []) := true

_may_stand_alone(_, above) if above[count(above) - 1] == "library"

_may_stand_alone(_, [registry]) if regex.match(`[.:]|^localhost$`, registry)

_above(entry) := `(?:[^/]+/)*` if contains(entry, "/")

_above(entry) := `(?:[^/]*[.:][^/]*/|localhost/)?(?:(?:[^/]+/)*library/)?` if not contains(entry, "/")

# METADATA
# title: Two names that a person could mistake for each other
# description: >-
#   They differ by case, by `-`, `_` and `.`, or in at most two places. Two
#   names are near when leaving out up to two characters from each makes them
#   equal.
similar(one, other) if {
	one != other
	near := _bare(one)
	far := _bare(other)
	count(near) >= 4
	abs(count(near) - count(far)) <= 2
	count(_shortened(near) & _shortened(far)) > 0
}

_bare(name) := lower(regex.replace(name, `[-_.]`, ""))

# A name, and what is left of it without one or two of its characters.
_shortened(name) := {name} | {short |
	some i in numbers.range(0, count(name) - 1)
	some j in numbers.range(i, count(name) - 1)
	short := _without(name, i, j)
}

_without(name, i, j) := concat("", [
	substring(name, 0, i),
	substring(name, i + 1, (j - i) - 1),
	substring(name, j + 1, -1),
]) if i < j

_without(name, i, i) := concat("", [substring(name, 0, i), substring(name, i + 1, -1)])
