package lib.mode_test

import data.lib.mode
import data.lib.parameters

test_skip_values if {
	every value in ["skip", "disabled", "false", "0", "off", "SKIP", "Off", " skip ", "\tskip\r\n"] {
		mode.of(value) == "skip"
	}
}

test_all_white_space_of_javascript if {
	every space in [
		"\t", "\n", "\u000b", "\u000c", "\r", " ", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002",
		"\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200a", "\u2028", "\u2029",
		"\u202f", "\u205f", "\u3000", "\ufeff",
	] {
		mode.of(sprintf("%sskip%s", [space, space])) == "skip"
	}
}

test_everything_else_is_auto if {
	every value in [
		"", "auto", "true", "1", "no", "skipped", "s kip", "00", "\"skip\"",
		"\u0085skip", "\u200bskip", "\u180eskip", "skip\u0000", "s\u212aip", "sk\u0130p", "\uff53kip", "~skip~", "@skip@",
	] {
		mode.of(value) == "auto"
	}
}

test_skip_values_of_the_constraint if {
	mode.of("never") == "skip" with parameters.skip_values as ["never"]
	mode.of("skip") == "auto" with parameters.skip_values as ["never"]
}

test_normalized if {
	mode.normalized(" Auto ") == "auto"
	mode.normalized(" ÄU ") == "ÄU"
}

test_means_auto if {
	every value in ["", " ", "auto", "AUTO\n"] {
		mode.means_auto(value)
	}
	every value in ["atuo", "skip", "true"] {
		not mode.means_auto(value)
	}
}
