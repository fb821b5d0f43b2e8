package cause

import (
	"bytes"
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// written are the texts of a source with edits as a person would write them, by the
// places that hold them, nil for the file: nothing but their lines is another. Holders
// are these places, the inner before those around them. It is an error when there is no
// such text.
func (s *source) written(edits []edit) (texts map[*place]string, err error) {
	layouts := map[*place]*layout{nil: newLayout(string(s.text))}
	splices := map[*place][]splice{}
	texts = map[*place]string{}
	for _, holder := range holdersOf(edits) {
		layouts[holder] = newLayout(holder.nestedText())
	}
	for _, e := range edits {
		in := e.at.within()
		made, err := e.write(layouts[in])
		if err != nil {
			return nil, err
		}
		splices[in] = append(splices[in], made...)
	}
	for _, holder := range holdersOf(edits) {
		if texts[holder], err = newLayout(holder.node.Value).spliced(sorted(splices[holder])); err != nil {
			return nil, err
		}
		around := holder.within()
		made, err := layouts[around].settingText(holder.node, texts[holder])
		if err != nil {
			return nil, err
		}
		if around != nil && around.template && slices.ContainsFunc(made, func(s splice) bool { return strings.Contains(s.text, mask) }) {
			return nil, errLayout
		}
		splices[around] = append(splices[around], made...)
	}
	texts[nil], err = layouts[nil].spliced(sorted(splices[nil]))
	return texts, err
}

// holdersOf are the places that hold the texts in which edits are made, the inner before
// those around them.
func holdersOf(edits []edit) []*place {
	var holders []*place
	for _, e := range edits {
		for holder := e.at.within(); holder != nil && !slices.Contains(holders, holder); holder = holder.within() {
			holders = append(holders, holder)
		}
	}
	depth := func(p *place) (n int) {
		for ; p != nil; p = p.within() {
			n++
		}
		return n
	}
	slices.SortStableFunc(holders, func(a, b *place) int { return depth(b) - depth(a) })
	return holders
}

func sorted(splices []splice) []splice {
	slices.SortStableFunc(splices, func(a, b splice) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
	return slices.Compact(splices)
}

// keyOf is the key of a member of a map. It is an error when the parent is none, or nil,
// as it is for a whole document.
func keyOf(parent, value *yaml.Node) (*yaml.Node, error) {
	if parent == nil {
		return nil, errLayout
	}
	if i := slices.Index(parent.Content, value); parent.Kind == yaml.MappingNode && i > 0 {
		return parent.Content[i-1], nil
	}
	return nil, errLayout
}

// quoted is a text in double quotes.
func quoted(text string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text)
	return strings.TrimSpace(out.String())
}

// scalarText is how a scalar that is set is written.
func scalarText(scalar *yaml.Node) string {
	if scalar.Style&yaml.DoubleQuotedStyle != 0 {
		return quoted(scalar.Value)
	}
	return scalar.Value
}

// setting puts a scalar in the place of another.
func (l *layout) setting(parent, node, scalar *yaml.Node) ([]splice, error) {
	if isImplicit(node) {
		key, err := keyOf(parent, node)
		if err != nil {
			return nil, err
		}
		at, err := l.afterColon(key)
		return []splice{{at, at, " " + scalarText(scalar)}}, err
	}
	start, err := l.start(node)
	if err != nil {
		return nil, err
	}
	if node.Kind == yaml.ScalarNode && node.Style&yaml.LiteralStyle != 0 && strings.Contains(scalar.Value, "\n") {
		return l.settingText(node, scalar.Value)
	}
	end, err := l.end(node)
	text := scalarText(scalar)
	if node.Anchor != "" {
		text = "&" + node.Anchor + " " + text
	}
	return []splice{{start, end, text}}, err
}

// settingText gives a scalar that holds a text of lines another text, in the style in
// which it is written. Of a block only the lines that differ are written again.
func (l *layout) settingText(node *yaml.Node, text string) ([]splice, error) {
	if node.Kind != yaml.ScalarNode {
		return nil, errLayout
	}
	if node.Style&yaml.LiteralStyle == 0 {
		return l.settingQuoted(node, text)
	}
	first, indent, _, err := l.block(node)
	if err != nil {
		return nil, err
	}
	before, after := strings.SplitAfter(node.Value, "\n"), strings.SplitAfter(text, "\n")
	same := 0
	for same < len(before) && same < len(after) && before[same] == after[same] {
		same++
	}
	before, after, first = before[same:], after[same:], first+same
	for len(before) > 0 && len(after) > 0 && before[len(before)-1] == after[len(after)-1] {
		before, after = before[:len(before)-1], after[:len(after)-1]
	}
	offset := func(line int) int {
		if line >= len(l.lines) {
			return len(l.text)
		}
		return l.lines[line]
	}
	var lines strings.Builder
	for _, line := range after {
		switch {
		case line == "":
		case line == "\n":
			lines.WriteString(line)
		default:
			lines.WriteString(indent + strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	gone := len(before)
	if gone > 0 && before[gone-1] == "" {
		gone--
	}
	return []splice{{offset(first), offset(first + gone), lines.String()}}, nil
}

func (l *layout) settingQuoted(node *yaml.Node, text string) ([]splice, error) {
	start, err := l.content(node)
	if err != nil {
		return nil, err
	}
	end, err := l.end(node)
	if err != nil {
		return nil, err
	}
	if strings.Contains(text, "\n") || strings.Contains(l.text[start:end], "\n") {
		return nil, errLayout
	}
	switch l.text[start] {
	case '"':
		return []splice{{start, end, quoted(text)}}, nil
	case '\'':
		return []splice{{start, end, "'" + strings.ReplaceAll(text, "'", "''") + "'"}}, nil
	default:
		return nil, errLayout
	}
}

// removing takes a member or an item away.
func (l *layout) removing(grandparent, parent, node *yaml.Node) ([]splice, error) {
	first, err := l.entryStart(parent, node)
	if err != nil {
		return nil, err
	}
	end, err := l.entryEnd(parent, node)
	if err != nil {
		return nil, err
	}
	entries := entriesOf(parent)
	i := slices.Index(entries, node)
	switch {
	case len(entries) == 1:
		return l.emptying(grandparent, parent, first, end)
	case l.isFlow(parent) && i == len(entries)-1:
		before, err := l.entryEnd(parent, entries[i-1])
		return []splice{{before, end, ""}}, err
	case l.isFlow(parent) || !l.isFirst(first):
		next, err := l.entryStart(parent, entries[i+1])
		if err != nil || strings.Contains(l.text[l.lineEnd(end):max(next, l.lineEnd(end))], "#") {
			return nil, errLayout
		}
		return []splice{{first, next, ""}}, nil
	default:
		return l.removingLines(first, end)
	}
}

// entriesOf are the values of a map or a list.
func entriesOf(parent *yaml.Node) []*yaml.Node {
	if parent.Kind != yaml.MappingNode {
		return parent.Content
	}
	var values []*yaml.Node
	for i := 1; i < len(parent.Content); i += 2 {
		values = append(values, parent.Content[i])
	}
	return values
}

// entryStart is where a member, with its key, or an item, with its dash, begins.
func (l *layout) entryStart(parent, node *yaml.Node) (int, error) {
	switch {
	case parent.Kind == yaml.MappingNode:
		key, err := keyOf(parent, node)
		if err != nil {
			return 0, err
		}
		return l.start(key)
	case l.isFlow(parent):
		return l.start(node)
	default:
		return l.dash(node)
	}
}

func (l *layout) entryEnd(parent, node *yaml.Node) (int, error) {
	if parent.Kind != yaml.MappingNode {
		return l.end(node)
	}
	key, err := keyOf(parent, node)
	if err != nil {
		return 0, err
	}
	return l.memberEnd(key, node)
}

// removingLines takes whole lines away.
func (l *layout) removingLines(start, end int) ([]splice, error) {
	if !l.isFirst(start) || !l.isLast(end) {
		return nil, errLayout
	}
	after := len(l.text)
	if i := l.lineOf(end); i+1 < len(l.lines) {
		after = l.lines[i+1]
	}
	return []splice{{l.lines[l.lineOf(start)], after, ""}}, nil
}

// emptying takes the only entry of a map or a list away, and leaves {} or [].
func (l *layout) emptying(grandparent, parent *yaml.Node, start, end int) ([]splice, error) {
	empty := emptyText(parent)
	if l.isFlow(parent) {
		open, err := l.content(parent)
		if err != nil {
			return nil, err
		}
		whole, err := l.end(parent)
		return []splice{{open, whole, empty}}, err
	}
	if grandparent == nil || grandparent.Kind != yaml.MappingNode {
		return []splice{{start, end, empty}}, nil
	}
	key, err := keyOf(grandparent, parent)
	if err != nil {
		return nil, err
	}
	colon, err := l.afterColon(key)
	if err != nil {
		return nil, err
	}
	lines, err := l.removingLines(start, end)
	return append([]splice{{colon, colon, " " + empty}}, lines...), err
}

// renaming gives a member another key, in the style of the one it has.
func (l *layout) renaming(parent, node *yaml.Node, to string) ([]splice, error) {
	key, err := keyOf(parent, node)
	if err != nil {
		return nil, err
	}
	start, err := l.content(key)
	if err != nil {
		return nil, err
	}
	end, err := l.end(key)
	if err != nil {
		return nil, err
	}
	return []splice{{start, end, l.keyLike(key, to)}}, nil
}

var bareKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_./-]*$`)

var wordKey = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false|null)$`)

// keyLike is a key as it is written beside another, or nil.
func (l *layout) keyLike(beside *yaml.Node, key string) string {
	if beside != nil {
		if at, err := l.content(beside); err == nil && at < len(l.text) && l.text[at] == '"' {
			return quoted(key)
		}
	}
	if bareKey.MatchString(key) && !wordKey.MatchString(key) {
		return key
	}
	return quoted(key)
}

// replacing puts a member with another key and a scalar in the place of one.
func (l *layout) replacing(parent, node *yaml.Node, key string, scalar *yaml.Node) ([]splice, error) {
	old, err := keyOf(parent, node)
	if err != nil {
		return nil, err
	}
	start, err := l.start(old)
	if err != nil {
		return nil, err
	}
	end, err := l.memberEnd(old, node)
	return []splice{{start, end, l.keyLike(old, key) + ": " + scalarText(scalar)}}, err
}

// adding puts a value below a map at keys, as add does.
func (l *layout) adding(parent, node *yaml.Node, keys []string, value *yaml.Node) ([]splice, error) {
	for len(keys) > 0 && node.Kind == yaml.MappingNode {
		next := lookup(node, keys[0])
		if next == nil {
			return l.addingMember(node, keys, value)
		}
		parent, node, keys = node, next, keys[1:]
	}
	isNull := node.Kind == yaml.ScalarNode && node.ShortTag() == yaml.NodeTagNull
	switch {
	case len(keys) == 0 && value.Kind == yaml.ScalarNode:
		return l.setting(parent, node, value)
	case isNull:
		return l.filling(parent, node, keys, value)
	case len(keys) > 0:
		return nil, errLayout
	case node.Kind == yaml.SequenceNode:
		return l.addingItem(node, value)
	default:
		return nil, errLayout
	}
}

// addingMember puts a member at the end of a map.
func (l *layout) addingMember(node *yaml.Node, keys []string, value *yaml.Node) ([]splice, error) {
	beside := firstKey(node)
	if l.isFlow(node) {
		return l.addingFlow(node, l.flowMember(beside, keys, value))
	}
	end, err := l.end(node)
	if err != nil || !l.isLast(end) || beside == nil {
		return nil, errLayout
	}
	at := l.lineEnd(end)
	return []splice{{at, at, l.blockMember(beside, strings.Repeat(" ", beside.Column-1), keys, value)}}, nil
}

// addingItem puts an item at the end of a list.
func (l *layout) addingItem(node, value *yaml.Node) ([]splice, error) {
	if l.isFlow(node) {
		return l.addingFlow(node, l.flowText(firstKey(node), value))
	}
	dash, err := l.dash(node.Content[0])
	if err != nil {
		return nil, err
	}
	end, err := l.end(node)
	if err != nil || !l.isLast(end) {
		return nil, errLayout
	}
	at, indent := l.lineEnd(end), strings.Repeat(" ", dash-l.lines[l.lineOf(dash)])
	return []splice{{at, at, "\n" + indent + "- " + l.flowText(nil, value)}}, nil
}

// addingFlow puts a text at the end of a map or list in braces or brackets.
func (l *layout) addingFlow(node *yaml.Node, text string) ([]splice, error) {
	if len(node.Content) == 0 {
		at, err := l.content(node)
		return []splice{{at + 1, at + 1, text}}, err
	}
	at, err := l.endOfLast(node)
	return []splice{{at, at, ", " + text}}, err
}

// filling puts a value at keys where a null stands.
func (l *layout) filling(parent, node *yaml.Node, keys []string, value *yaml.Node) ([]splice, error) {
	key, err := keyOf(parent, node)
	if err != nil {
		return nil, err
	}
	colon, err := l.afterColon(key)
	if err != nil {
		return nil, err
	}
	end, err := l.memberEnd(key, node)
	if err != nil {
		return nil, err
	}
	if l.isFlow(parent) {
		text := l.flowText(key, value)
		if len(keys) > 0 {
			text = "{" + l.flowMember(key, keys, value) + "}"
		} else {
			text = "[" + text + "]"
		}
		return []splice{{colon, end, " " + text}}, nil
	}
	if !l.isLast(end) {
		return nil, errLayout
	}
	indent := strings.Repeat(" ", key.Column+1)
	text := "\n" + indent + "- " + l.flowText(key, value)
	if len(keys) > 0 {
		text = l.blockMember(key, indent, keys, value)
	}
	at := l.lineEnd(end)
	return []splice{{colon, end, ""}, {at, at, text}}, nil
}

// blockMember are the lines of a member, each after a line break.
func (l *layout) blockMember(beside *yaml.Node, indent string, keys []string, value *yaml.Node) string {
	var lines strings.Builder
	for _, key := range keys {
		lines.WriteString("\n" + indent + l.keyLike(beside, key) + ":")
		indent += "  "
	}
	if value.Kind == yaml.MappingNode {
		return lines.String() + "\n" + indent + "- " + l.flowText(beside, value)
	}
	return lines.String() + " " + l.flowText(beside, value)
}

// flowMember is a member in one line.
func (l *layout) flowMember(beside *yaml.Node, keys []string, value *yaml.Node) string {
	text := l.flowText(beside, value)
	if value.Kind == yaml.MappingNode {
		text = "[" + text + "]"
	}
	for i, key := range slices.Backward(keys) {
		text = l.keyLike(beside, key) + ": " + text
		if i > 0 {
			text = "{" + text + "}"
		}
	}
	return text
}

// firstKey is a key in a map or in the first map of a list, or nil.
func firstKey(node *yaml.Node) *yaml.Node {
	for node.Kind == yaml.SequenceNode && len(node.Content) > 0 {
		node = node.Content[0]
	}
	if node.Kind == yaml.MappingNode && len(node.Content) > 0 {
		return node.Content[0]
	}
	return nil
}

// flowText is a scalar, or a map of scalars, in one line, beside a key or nil.
func (l *layout) flowText(beside, value *yaml.Node) string {
	if value.Kind == yaml.ScalarNode {
		return scalarText(value)
	}
	var members []string
	for i := 0; i+1 < len(value.Content); i += 2 {
		text := scalarText(value.Content[i+1])
		if value.Content[i+1].Style == 0 {
			text = l.keyLike(beside, value.Content[i+1].Value)
		}
		members = append(members, l.keyLike(beside, value.Content[i].Value)+": "+text)
	}
	return "{" + strings.Join(members, ", ") + "}"
}
