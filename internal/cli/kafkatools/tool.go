package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// release is what --version prints: the release of Kafka whose tools these are.
const release = "4.4.0"

// tool is one of Kafka's commands.
type tool struct {
	name    string // as Kafka's script, without .sh
	about   string // one line for --help
	options []option
	// check refuses what the options say wrongly together; it runs before
	// anything is asked of a server.
	check func(*call) error
	run   func(context.Context, *call) error
	// failed prints an error of run as Kafka's tool of that name does; nil
	// prints the text on standard error.
	failed func(*call, error)
}

// call is one run of a tool.
type call struct {
	*tool
	*flags
	args     []string
	in       io.Reader
	out, err io.Writer
}

func (c *call) printf(format string, args ...any) { fmt.Fprintf(c.out, format, args...) }

// usageError is a wrong call: it is printed with the list of options.
type usageError struct{ text string }

// Error is what is printed before the usage.
func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// errReported ends a tool that has already said what went wrong.
var errReported = errors.New("already reported")

func tools() []*tool {
	return []*tool{topicsTool(), configsTool(), consoleProducerTool(), consoleConsumerTool(), getOffsetsTool(), deleteRecordsTool(), apiVersionsTool(), logDirsTool(), producerPerfTool(), consumerPerfTool(), consumerGroupsTool()}
}

// Names lists the tools by the part after "kafka-", in alphabetical order.
func Names() []string {
	var out []string
	for _, t := range tools() {
		out = append(out, strings.TrimPrefix(t.name, "kafka-"))
	}
	slices.Sort(out)
	return out
}

// About is the one line that tells what a tool of Names does.
func About(name string) string {
	if t := find(name); t != nil {
		return t.about
	}
	return ""
}

// ForProgram tells which tool a binary called by this path stands for: one
// named kafka-topics or kafka-topics.sh, in any folder, is the tool topics. A
// name of that form that no tool has counts too: Run says what there is.
func ForProgram(path string) (name string, ok bool) {
	base := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".exe"), ".sh")
	if name, ok = strings.CutPrefix(base, "kafka-"); !ok || name == "" {
		return "", false
	}
	return name, true
}

func find(name string) *tool {
	name = "kafka-" + strings.TrimPrefix(strings.TrimSuffix(name, ".sh"), "kafka-")
	for _, t := range tools() {
		if t.name == name {
			return t
		}
	}
	return nil
}

// Run runs a tool, named as in Names or as Kafka's script, and returns its exit
// code: 0, or 1 as Kafka's tools do for every failure.
func Run(ctx context.Context, name string, args []string, in io.Reader, out, errOut io.Writer) int {
	t := find(name)
	if t == nil {
		fmt.Fprintf(errOut, "no Kafka tool is named %q; there are %s\n", name, strings.Join(Names(), ", "))
		return 1
	}
	c := &call{tool: t, args: args, in: in, out: out, err: errOut}
	return c.exit(c.start(ctx))
}

func (c *call) start(ctx context.Context) error {
	f, err := parse(c.options, c.args)
	if err != nil {
		return err
	}
	c.flags = f
	switch {
	case f.has("help"), len(c.args) == 0:
		return usagef("%s", c.about)
	case f.has("version"):
		c.printf("%s\n", release)
		return nil
	}
	for _, o := range c.options {
		if o.instead != "" && f.has(o.name) {
			c.printf(c.deprecated(), o.name, o.instead)
		}
	}
	if err := c.required(); err != nil {
		return err
	}
	if c.check != nil {
		if err := c.check(c); err != nil {
			return err
		}
	}
	if err := f.once(c.options); err != nil {
		return err
	}
	return c.run(ctx, c)
}

// deprecated is how the tool warns of an old spelling; Kafka's tools differ.
func (c *call) deprecated() string {
	switch c.name {
	case "kafka-console-producer":
		return "Warning: --%s is deprecated and will be removed in a future version. Use --%s instead.\n"
	case "kafka-producer-perf-test":
		return "Option --%s has been deprecated and will be removed in a future version. Use --%s instead.\n"
	}
	return "Option --%s is deprecated and will be removed in a future version. Use --%s instead.\n"
}

// required refuses a call without an option that the tool cannot do without.
func (c *call) required() error {
	for _, o := range c.options {
		if o.required && !c.has(o.name) {
			return usagef("Missing required argument \"[%s]\"", o.name)
		}
	}
	return nil
}

func (c *call) exit(err error) int {
	var wrong *usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errReported):
	case errors.As(err, &wrong):
		fmt.Fprintln(c.err, wrong.text)
		c.usage(c.err)
	case c.failed != nil:
		c.failed(c, err)
	default:
		fmt.Fprintln(c.err, err)
	}
	return 1
}
