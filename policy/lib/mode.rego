# METADATA
# scope: package
# title: What the service makes of a value
# description: >-
#   The service trims white space, lower-cases and compares, all as JavaScript
#   does. This may be stricter than the service and never laxer.
package lib.mode

import data.lib.parameters

# METADATA
# title: White space and line ends that String.prototype.trim removes
white_space := concat("", [
	"\t\n\u000b\u000c\r ",
	"\u00a0\u1680",
	"\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a",
	"\u2028\u2029\u202f\u205f\u3000\ufeff",
])

# METADATA
# title: A value as the service compares it
# description: >-
#   Only ASCII is lower-cased. Beyond ASCII the languages disagree: U+0130
#   becomes a plain i in Go, but not in JavaScript.
normalized(text) := lower(trimmed) if {
	trimmed := trim(text, white_space)
	regex.match(`\A[\x00-\x7f]*\z`, trimmed)
} else := trim(text, white_space)

# METADATA
# title: The mode that a value gives
# description: Whatever is not a skip value migrates.
default of(_) := "auto"

of(text) := "skip" if normalized(text) in parameters.skip_values

# METADATA
# title: The value means auto, and was meant to
means_auto(text) if normalized(text) in {"", "auto"}
