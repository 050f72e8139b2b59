package out

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// Print writes the table in the given format.
func (t *Table) Print(w io.Writer, format string) error {
	switch {
	case format == "json":
		return t.json(w)
	case format == "ndjson":
		return t.ndjson(w)
	case format == "yaml":
		return t.yaml(w)
	case format == "csv":
		return t.csv(w)
	case format == "name":
		return t.names(w)
	case strings.HasPrefix(format, "template="):
		return t.template(w, strings.TrimPrefix(format, "template="))
	}
	return t.text(w)
}

// object keeps the order of the columns, which map[string]any would lose.
type object struct {
	columns []Column
	cells   []any
}

// MarshalJSON keeps the order of the fields, which a map would lose.
func (o object) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, c := range o.columns {
		if i > 0 {
			b.WriteByte(',')
		}
		v, err := json.Marshal(o.cells[i])
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", c.Field, err)
		}
		fmt.Fprintf(&b, "%q:%s", c.Field, v)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

func (t *Table) objects() []object {
	out := make([]object, 0, len(t.Rows))
	for _, r := range t.Rows {
		out = append(out, object{t.Columns, r})
	}
	return out
}

func (t *Table) json(w io.Writer) error {
	var v any = t.objects()
	if t.One && len(t.Rows) == 1 {
		v = t.objects()[0]
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, string(b))
	return err
}

func (t *Table) ndjson(w io.Writer) error {
	e := json.NewEncoder(w)
	for _, o := range t.objects() {
		if err := e.Encode(o); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) yaml(w io.Writer) error {
	rows := make([]yaml.MapSlice, 0, len(t.Rows))
	for _, r := range t.Rows {
		var m yaml.MapSlice
		for i, c := range t.Columns {
			m = append(m, yaml.MapItem{Key: c.Field, Value: r[i]})
		}
		rows = append(rows, m)
	}
	var v any = rows
	if t.One && len(rows) == 1 {
		v = rows[0]
	}
	b, err := yaml.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

func (t *Table) csv(w io.Writer) error {
	c := csv.NewWriter(w)
	head := make([]string, len(t.Columns))
	for i, col := range t.Columns {
		head[i] = col.Field
	}
	if err := c.Write(head); err != nil {
		return err
	}
	for _, r := range t.Rows {
		line := make([]string, len(r))
		for i, v := range r {
			if v != nil {
				line[i] = cell(v)
			}
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

func (t *Table) names(w io.Writer) error {
	for _, r := range t.Rows {
		if _, err := fmt.Fprintln(w, cell(r[0])); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) template(w io.Writer, text string) error {
	tmpl, err := template.New("row").Parse(text)
	if err != nil {
		return fmt.Errorf("template %q: %w", text, err)
	}
	for _, r := range t.Rows {
		m := map[string]any{}
		for i, c := range t.Columns {
			m[c.Field] = r[i]
		}
		if err := tmpl.Execute(w, m); err != nil {
			return fmt.Errorf("template %q: %w", text, err)
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	return nil
}

// upright tells of one thing with a line for each field that it has.
func (t *Table) upright(w io.Writer, shown []int) error {
	widest := 0
	for _, i := range shown {
		widest = max(widest, utf8.RuneCountInString(t.Columns[i].Title))
	}
	for _, i := range shown {
		if t.Rows[0][i] == nil {
			continue
		}
		pad := strings.Repeat(" ", widest-utf8.RuneCountInString(t.Columns[i].Title))
		if _, err := fmt.Fprintf(w, "%s%s  %s\n", t.Columns[i].Title, pad, safe(cell(t.Rows[0][i]))); err != nil {
			return err
		}
	}
	return nil
}

// text is the form for people: aligned columns, two spaces between.
func (t *Table) text(w io.Writer) error {
	if len(t.Rows) == 0 {
		if t.Empty == "" {
			return nil
		}
		_, err := fmt.Fprintln(w, t.Empty)
		return err
	}
	var shown []int
	for i, c := range t.Columns {
		if c.Title != "" {
			shown = append(shown, i)
		}
	}
	lines := [][]string{{}}
	for _, i := range shown {
		lines[0] = append(lines[0], t.Columns[i].Title)
	}
	for _, r := range t.Rows {
		var line []string
		for _, i := range shown {
			line = append(line, safe(cell(r[i])))
		}
		lines = append(lines, line)
	}
	width := make([]int, len(shown))
	for _, line := range lines {
		for i, s := range line {
			width[i] = max(width[i], utf8.RuneCountInString(s))
		}
	}
	if total := 2 * (len(width) - 1); t.One && len(t.Rows) == 1 && t.Width > 0 {
		for _, w := range width {
			total += w
		}
		if total > t.Width {
			return t.upright(w, shown)
		}
	}
	for _, line := range lines {
		var b strings.Builder
		for i, s := range line {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(s))
			if t.Columns[shown[i]].Right {
				b.WriteString(pad + s)
			} else {
				b.WriteString(s + pad)
			}
			b.WriteString("  ")
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// cell renders one value for people and CSV.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		return v
	case []string:
		return strings.Join(v, ",")
	case []int32:
		s := make([]string, len(v))
		for i, n := range v {
			s[i] = fmt.Sprint(n)
		}
		return strings.Join(s, ",")
	case map[string]string:
		b, err := json.Marshal(v) // sorted by key
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(b)
	default:
		return fmt.Sprint(v)
	}
}

// Line is a text of others as people may read it in a line: quoted where it would break
// that, or do worse to a terminal.
func Line(text string) string {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return strconv.Quote(text)
	}
	return text
}

// safe is a cell that does nothing to a terminal; some have lines of their own.
func safe(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && unicode.IsControl(r) }) {
		return strconv.Quote(text)
	}
	return text
}

// Bytes writes a number of bytes for people: 3 significant digits, powers of
// 1024.
func Bytes(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	v, u := float64(n), 0
	for v >= 1024 && u < len(units)-1 {
		v, u = v/1024, u+1
	}
	switch {
	case u == 0:
		return fmt.Sprintf("%d B", n)
	case v < 10:
		return fmt.Sprintf("%.2f %s", v, units[u])
	case v < 100:
		return fmt.Sprintf("%.1f %s", v, units[u])
	}
	return fmt.Sprintf("%.0f %s", v, units[u])
}
