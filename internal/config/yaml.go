package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxDepth bounds how deep maps may be nested: no setting's name has more
// parts than that.
const maxDepth = 12

// parseYAML reads our own file: a map of settings by Kafka's names, where a
// nested map is its name joined to the names inside by dots, and a list is a
// comma-separated value. Anything else YAML can say is refused, with position.
func parseYAML(file, content string) (out []Setting, err error) {
	defer func() {
		// The parser is not ours; what it cannot bear shall not end a node.
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("%s is no YAML that can be read: %v", file, r)
		}
	}()
	f, err := parser.ParseBytes([]byte(content), 0)
	if err != nil {
		return nil, yamlSyntax(file, splitLines(content), err)
	}
	w := yamlWalk{file: file, lines: splitLines(content), seen: map[string]Place{}}
	for i, doc := range f.Docs {
		if doc.Body == nil {
			continue
		}
		if i > 0 {
			w.wrong(doc.Body, "a second document in one file; there must be one")
			break
		}
		w.value("", nil, doc.Body, 0)
	}
	if len(w.mistakes) > 0 {
		return nil, w.mistakes
	}
	return w.out, nil
}

// yamlSyntax turns the parser's error into one of ours.
func yamlSyntax(file string, lines []string, err error) error {
	at := Place{What: file}
	what := strings.SplitN(err.Error(), "\n", 2)[0]
	var syntax yaml.Error
	if errors.As(err, &syntax) && syntax.GetToken() != nil && syntax.GetToken().Position != nil {
		pos := syntax.GetToken().Position
		at.Line, at.Col = pos.Line, pos.Column
		at.text = lineText(lines, pos.Line)
		what = syntax.GetMessage()
	}
	return Mistakes{{At: at, What: "not YAML: " + what}}
}

func lineText(lines []string, n int) string {
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

type yamlWalk struct {
	file     string
	lines    []string
	seen     map[string]Place
	out      []Setting
	mistakes Mistakes
}

func (w *yamlWalk) place(n ast.Node) Place {
	p := Place{What: w.file}
	if t := n.GetToken(); t != nil && t.Position != nil {
		p.Line, p.Col = t.Position.Line, t.Position.Column
		p.text = lineText(w.lines, p.Line)
	}
	return p
}

func (w *yamlWalk) wrong(n ast.Node, format string, args ...any) {
	w.mistakes = append(w.mistakes, &Mistake{At: w.place(n), What: fmt.Sprintf(format, args...)})
}

// value takes what stands under name, whose last part is key.
func (w *yamlWalk) value(name string, key, n ast.Node, depth int) {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, e := range n.Values {
			w.entry(name, e, depth)
		}
	case *ast.MappingValueNode:
		w.entry(name, n, depth)
	case *ast.CommentGroupNode:
	default:
		if name == "" {
			w.wrong(n, "want settings, one a line, as in \"num.partitions: 3\"")
			return
		}
		if text, ok := w.scalar(name, n); ok {
			w.set(name, text, key, n)
		}
	}
}

func (w *yamlWalk) entry(name string, e *ast.MappingValueNode, depth int) {
	key, ok := e.Key.(*ast.StringNode)
	if !ok {
		w.wrong(e.Key, "a key must be the name of a setting, without anchors, tags or merges")
		return
	}
	full := key.Value
	if name != "" {
		full = name + "." + key.Value
	}
	if depth >= maxDepth {
		w.wrong(key, "nested deeper than any setting")
		return
	}
	if _, empty := e.Value.(*ast.NullNode); empty {
		w.wrong(key, "%s has no value; write \"\" for an empty one, or leave the line out", full)
		return
	}
	w.value(full, key, e.Value, depth+1)
}

func (w *yamlWalk) set(name, text string, key, n ast.Node) {
	at := w.place(n)
	if first, twice := w.seen[name]; twice {
		w.wrong(key, "%s is set twice; first in line %d", name, first.Line)
		return
	}
	w.seen[name] = at
	w.out = append(w.out, Setting{Name: name, Value: text, From: at, key: w.place(key)})
}

// scalar gives a plain value, or a list of them, as text.
func (w *yamlWalk) scalar(name string, n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value), true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	case *ast.SequenceNode:
		parts := make([]string, 0, len(n.Values))
		for _, e := range n.Values {
			if _, nested := e.(*ast.SequenceNode); nested {
				w.wrong(e, "a list within a list at %s", name)
				return "", false
			}
			text, ok := w.scalar(name, e)
			if !ok {
				return "", false
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, ","), true
	}
	w.wrong(n, "%s needs a plain value; anchors, tags and maps have no meaning here", name)
	return "", false
}
