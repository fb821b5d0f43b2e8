# METADATA
# scope: package
# title: Scripts from ConfigMaps
# description: >-
#   A file of a ConfigMap that a container mounts and its command runs is read like
#   a command. The ConfigMap must stand in the same target, so only the harness
#   sees it.
package lib.mounted

import data.lib.document
import data.lib.process
import data.lib.reading
import data.lib.value

# METADATA
# title: The files of ConfigMaps that a container mounts
# description: Each with its path in the container, its text, and its place in the target.
files(workload, container) := [file |
	count(document.beside) > 0
	some mount in value.entries(value.field(container, "volumeMounts"))
	some volume in value.entries(value.at(workload.object, array.concat(workload.place.spec, ["volumes"])))
	value.field(volume, "name") == value.field(mount, "name")
	some source in _sources(volume)
	some config_map in document.beside
	_is_meant(config_map, source, workload)
	some key, content in value.field(config_map, "data")
	is_string(content)
	path := _path(mount, _projected(source, key))
	file := {
		"path": path,
		"text": content,
		"place": sprintf("data[%q] of ConfigMap/%s", [key, source.name]),
	}
]

_sources(volume) := array.concat(
	[value.field(volume, "configMap")],
	[value.field(part, "configMap") | some part in value.entries(value.at(volume, ["projected", "sources"]))],
)

_is_meant(config_map, source, workload) if {
	value.field(config_map, "kind") == "ConfigMap"
	value.at(config_map, ["metadata", "name"]) == source.name
	value.text(value.at(config_map, ["metadata", "namespace"])) in {workload.namespace, ""}
}

# The path of a key in its volume; items may rename it, and leave others out.
_projected(source, key) := key if {
	value.entries(value.field(source, "items")) == []
} else := [path |
	some item in source.items
	value.field(item, "key") == key
	path := value.text(value.field(item, "path"))
][0]

_path(mount, file) := trim_suffix(mount.mountPath, "/") if {
	value.text(value.field(mount, "subPath")) == file
} else := sprintf("%s/%s", [trim_suffix(mount.mountPath, "/"), file]) if {
	value.text(value.field(mount, "subPath")) == ""
} else := sprintf("%s/%s", [trim_suffix(mount.mountPath, "/"), trim_prefix(file, sprintf("%s/", [mount.subPath]))]) if {
	startswith(file, sprintf("%s/", [mount.subPath]))
}

# METADATA
# title: The files that the commands of a container run, each with the path of the word that does
run(workload, container) := [object.union(file, {"by": word.path}) |
	some file in files(workload, container.spec)
	word := _running(file, container)[0]
]

_running(file, container) := [word |
	not process.starts_nothing(container.spec)
	some line in process.lines
	words := process.words(container.spec, line, container.path)
	some i, word in words
	_runs(file, words, i)
]

# As a program, or as the script that an interpreter is given.
_runs(file, words, i) if {
	words[i].text == file.path
	every before in array.slice(words, 0, i) {
		regex.match(sprintf(`^-|%s`, [reading.interpreter]), before.text)
	}
	not _is_setting(words, i)
}

_runs(file, words, i) if {
	words[i].script
	regex.match(reading.runs_file(file.path), reading.spoken(reading.without_comments(words[i].text)))
}

# An option whose value is a file of settings: --config FILE.
_is_setting(words, i) if regex.match(`(?i)\A--?(?:[a-z0-9_.-]*[_.-])?(?:conf|config|cfg)(?:[_.-]?(?:file|path))?\z`, words[i - 1].text)

# METADATA
# title: The paths that the scripts of a container may load, for they are read
paths(workload, container) := {file.path | some file in files(workload, container)}

# METADATA
# title: What the files of ConfigMaps do to the variable
# description: With a form of the catalogue, the path of the word that runs the file, and the text.
changes(workload, container) := [{"path": file.by, "says": sprintf("%s_in_a_file", [change.how]), "text": change.text, "source": file.place} |
	some file in run(workload, container)
	change := _change(file)
]

_change(file) := reading.change(reading.judged({"text": file.text, "script": true}))

# METADATA
# title: The files that would change the variable and that nothing visibly runs
unrun(workload, container) := [] if {
	count(document.beside) == 0
} else := [{"path": container.path, "text": change.text, "source": file.place} |
	ran := {file.path | some file in run(workload, container)}
	some file in files(workload, container.spec)
	not file.path in ran
	change := _change(file)
]
