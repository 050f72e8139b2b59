package kafkatools

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"ottla/internal/cli/kafkatools/words"
)

// option is one option of a tool.
type option struct {
	name     string
	arg      string // what its argument is, "" when it takes none
	optional bool   // the argument may be left out
	many     bool   // may be given several times
	words    bool   // one option takes all words up to the next option (argparse's nargs +)
	required bool
	instead  string // the newer spelling, when this one is deprecated
	help     string
}

// common are the options that every tool takes.
var common = []option{
	{name: "help", help: "show this"},
	{name: "version", help: "show the release of Kafka whose tools these are"},
}

// flags is a parsed command line.
type flags struct {
	given map[string][]string
	order []string // names in the order given, repeats included
}

func (f *flags) has(name string) bool { _, ok := f.given[name]; return ok }

// any tells whether one of the options was given.
func (f *flags) any(names ...string) bool { return slices.ContainsFunc(names, f.has) }

// value is the argument of an option, otherwise when it was not given or came
// without one.
func (f *flags) value(name, otherwise string) string {
	v := f.given[name]
	if len(v) == 0 {
		return otherwise
	}
	return v[0]
}

// values joins the arguments of several spellings of one option.
func (f *flags) values(names ...string) []string {
	var out []string
	for _, n := range names {
		out = append(out, f.given[n]...)
	}
	return out
}

func (f *flags) integer(name string, otherwise int64) (int64, error) {
	text := f.value(name, "")
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, words.New("Cannot parse argument '%s' of option %s", text, name)
	}
	return n, nil
}

// parse reads args by joptsimple's rules: --name value, --name=value, one dash
// as good as two, no abbreviations; an optional argument is the next word
// unless that begins with a dash.
func parse(options []option, args []string) (*flags, error) {
	f := &flags{given: map[string][]string{}}
	for i := 0; i < len(args); i++ {
		word := args[i]
		name, dashed := strings.CutPrefix(word, "-")
		name = strings.TrimPrefix(name, "-")
		if !dashed || name == "" {
			continue // joptsimple leaves words without an option aside
		}
		name, inline, hasInline := strings.Cut(name, "=")
		o := lookup(options, name)
		if o == nil {
			return nil, fmt.Errorf("%s is not a recognized option", name)
		}
		f.order = append(f.order, o.name)
		name = o.name
		if _, seen := f.given[name]; !seen {
			f.given[name] = nil
		}
		switch {
		case o.arg == "":
		case hasInline:
			f.given[name] = append(f.given[name], inline)
		case i+1 < len(args) && !(o.optional && strings.HasPrefix(args[i+1], "-")) && !isOption(options, args[i+1]):
			i++
			f.given[name] = append(f.given[name], args[i])
		case !o.optional:
			return nil, usagef("Option %s requires an argument", name)
		}
		for o.words && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			i++
			f.given[name] = append(f.given[name], args[i])
		}
	}
	return f, nil
}

// once refuses repeats of options that are given once.
func (f *flags) once(options []option) error {
	for _, o := range options {
		if len(f.given[o.name]) > 1 && !o.many && !o.words {
			return words.New("Found multiple arguments for option %s, but you asked for only one", o.name)
		}
	}
	return nil
}

func lookup(options []option, name string) *option {
	if name == "h" {
		name = "help"
	}
	for _, list := range [][]option{options, common} {
		if i := slices.IndexFunc(list, func(o option) bool { return o.name == name }); i >= 0 {
			return &list[i]
		}
	}
	return nil
}

// isOption tells whether a word is one of the tool's options, which is then
// not taken as the argument of the one before it.
func isOption(options []option, word string) bool {
	name, dashed := strings.CutPrefix(word, "--")
	name, _, _ = strings.Cut(name, "=")
	return dashed && lookup(options, name) != nil
}

const (
	usageColumn = 40
	usageWidth  = 80
)

// usage lists the tool's options in two columns, as joptsimple does.
func (c *call) usage(w io.Writer) {
	all := append(slices.Clone(c.options), common...)
	slices.SortFunc(all, func(a, b option) int { return strings.Compare(a.name, b.name) })
	fmt.Fprintf(w, "%-*s %s\n%-*s %s\n", usageColumn, "Option", "Description", usageColumn, "------", "-----------")
	for _, o := range all {
		left := "--" + o.name
		switch {
		case o.optional:
			left += " [" + o.arg + "]"
		case o.arg != "":
			left += " <" + o.arg + ">"
		}
		help := o.help
		if o.instead != "" {
			help = "(DEPRECATED) same as --" + o.instead
		}
		if o.required {
			help = "REQUIRED: " + help
		}
		lines := wrap(help, usageWidth-usageColumn-1)
		if len(left) > usageColumn {
			fmt.Fprintln(w, left)
			left = ""
		}
		for _, text := range lines {
			fmt.Fprintf(w, "%-*s %s\n", usageColumn, left, text)
			left = ""
		}
	}
}

// wrap breaks text at spaces into lines of at most width bytes; a longer word
// stands alone.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
