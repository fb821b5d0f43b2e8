package lib.text_test

import data.lib.text

_sixty := concat("", ["x" | some _ in numbers.range(1, 60)])

test_quoted if {
	text.quoted("a\"\n\u001b") == `"a\"\n\x1b"`
	text.quoted(_sixty) == sprintf("%q", [_sixty])
	text.quoted(sprintf("%sy", [_sixty])) == sprintf("%q…", [_sixty])
}

test_literal if {
	every odd in ["a.b", `a\b`, "a*", "(a)", "[a]", "{a}", "a|b", "a+", "a?", "^a$", "a-b"] {
		regex.match(sprintf(`\A%s\z`, [text.literal(odd)]), odd)
	}
	not regex.match(text.literal("a.b"), "axb")
}

test_matches if {
	every case in [
		["*-controllers", "agents-controllers"],
		["*-controllers", "-controllers"],
		["agents", "agents"],
		["a*c*e", "abcde"],
		["*", ""],
		["*", "a\nb"],
		["a?[b].c", "a?[b].c"],
	] {
		regex.match(text.one_of(["x", case[0]]), case[1])
	}
	every case in [
		["*-controllers", "agents-controllers-x"],
		["*-controllers", "agents-controllers\n"],
		["*-controllers", "agents_controllers"],
		["agents", "agents-x"],
		["agents", "x-agents"],
		["a?c", "abc"],
		["a[b]c", "abc"],
		["a.c", "abc"],
		["*-controllers", "Agents-Controllers"],
	] {
		not regex.match(text.one_of(["x", case[0]]), case[1])
	}
}

test_similar if {
	every name in [
		"JANGAR_MIGRATION", "jangar_migrations", "JANGAR-MIGRATIONS", "JANGARMIGRATIONS",
		"JANGAR.MIGRATIONS", "JANGER_MIGRATIONS", "JANGAR_MIGRATINOS", "JANGAR_MIGRATIONSS", "XJANGAR_MIGRATIONSX",
		"NGAR_MIGRATIONS", "JNGAR_MGRATIONS",
		"JANGR_MIGRATIONS", "ANGAR_MIGRATIONS",
	] {
		text.similar(name, "JANGAR_MIGRATIONS")
	}
	every name in [
		"JANGAR_MIGRATIONS", "PORT", "", "___", "JANGAR_MIGRATI", "JANGAR_MIGRATIONS_DIR",
		"AGENTS_MIGRATIONS", "AAAAAA_AAAAAAAAAA",
	] {
		not text.similar(name, "JANGAR_MIGRATIONS")
	}
	text.similar("abcd", "abce")
	not text.similar("abc", "abd")
	text.similar("a-b_c.d-e_f", "ABCDEF")
	text.similar("abcdef", "abcd")
	not text.similar("abcdefg", "abcd")
}
