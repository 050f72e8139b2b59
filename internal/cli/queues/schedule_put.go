package queues

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/event/schedule"
	"ottla/internal/event/schedule/course"
	"ottla/internal/gateway/rest"
)

// putFlags are a schedule as flags say it.
type putFlags struct {
	scheduleFlags
	at, every, cron           string
	zone, start, end          string
	window, maxAge            time.Duration
	topic, queue, url, method string
	bus, sns, function        string
	kind, source              string // of a bus's event
	key, input, inputFile     string
	headers                   []string
	missed, dead, description string
	retries                   int
	deleteAfter, paused, dry  bool
}

func schedulePut(o *ask.Options) *cobra.Command {
	var p putFlags
	c := &cobra.Command{
		Use:   "put NAME",
		Short: "Make a schedule, or put another in its place, and show its next ten runs",
		Long: "Make a schedule, or put another in its place. It runs --at a time, --every so often, or by\n" +
			"--cron: five fields as in a crontab, six with seconds in front, or EventBridge's cron(…).\n" +
			"A run goes to a topic, a queue, a bus or an SNS topic exactly once, or to a function or a\n" +
			"URL at least once, there with the run's id in Idempotency-Key. docs/schedules.md tells\n" +
			"the rest.",
		Example: "  ottla schedule put nightly --cron '30 2 * * MON-FRI' --zone Europe/Berlin --topic jobs --input '{\"job\":\"report\"}'\n" +
			"  ottla schedule put remind --at 2026-12-24T18:00:00 --zone Europe/Berlin --queue mails --input hello --delete-after\n" +
			"  ottla schedule put due --cron '0 9 * * *' --bus shop --type OrdersDue --source billing --input '{\"day\":\"<aws.scheduler.scheduled-time>\"}'\n" +
			"  ottla schedule put poll --every 30s --url https://example.org/tick --dead-letters failed --dry-run",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := p.spec(o.In, cmd.Flags().Changed("retries"))
			if err != nil {
				return err
			}
			if p.dry {
				return dryRun(o, cmd, &p, args[0], spec)
			}
			return putSchedule(o, cmd, &p, args[0], spec)
		},
	}
	p.scheduleFlags.bind(c)
	p.bind(c)
	return c
}

func (p *putFlags) bind(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&p.at, "at", "", "run once, at a time of --zone: 2026-12-24T18:00:00, or in so long: +10m")
	f.StringVar(&p.every, "every", "", "run so often: 30s, 5m, 2h, 1d; counted from --start or now")
	f.StringVar(&p.cron, "cron", "", "run by the calendar: '30 2 * * MON-FRI', or any expression of docs/schedules.md")
	f.StringVar(&p.zone, "zone", "", "time zone that --at and --cron mean, as Europe/Berlin (default UTC)")
	f.StringVar(&p.start, "start", "", "no run before, as 2026-12-01T00:00:00Z")
	f.StringVar(&p.end, "end", "", "no run after")
	f.DurationVar(&p.window, "window", 0, "let each run begin at any moment of a window behind its time")
	f.StringVar(&p.topic, "topic", "", "topic that runs are written to")
	f.StringVar(&p.queue, "queue", "", "queue that runs are sent to, by name or ARN")
	f.StringVar(&p.bus, "bus", "", "event bus that runs are put into, by name or ARN; the input is the detail")
	f.StringVar(&p.kind, "type", "", "type of the event, which EventBridge calls detail-type (default ottla.schedule.run)")
	f.StringVar(&p.source, "source", "", "source of the event (default the schedule's ARN)")
	f.StringVar(&p.sns, "sns", "", "SNS topic that runs are published to, by name or ARN")
	f.StringVar(&p.function, "function", "", "function that runs call, as functions.file of the server declares it, by name or ARN")
	f.StringVar(&p.url, "url", "", "URL that runs are sent to")
	f.StringVar(&p.method, "method", "", "method of the call (default POST)")
	f.StringVar(&p.key, "key", "", "key of the record or event, or message group")
	f.StringVar(&p.input, "input", "", "what a run delivers; - reads it from standard input")
	f.StringVar(&p.inputFile, "input-file", "", "file with what a run delivers")
	f.StringArrayVarP(&p.headers, "header", "H", nil, "header, or attribute of the message, as NAME=VALUE, may be repeated")
	f.StringVar(&p.missed, "missed", "", "runs whose time passed while no node was there: all, last or none (default all)")
	f.IntVar(&p.retries, "retries", schedule.MostRetries, "attempts after the first")
	f.DurationVar(&p.maxAge, "max-age", 0, "how long a run is tried (default 24h)")
	f.StringVar(&p.dead, "dead-letters", "", "queue for runs that were given up, by name or ARN")
	f.BoolVar(&p.deleteAfter, "delete-after", false, "delete the schedule when it has no run any more")
	f.BoolVar(&p.paused, "paused", false, "do not run before it is resumed")
	f.StringVar(&p.description, "description", "", "what it is for")
	f.BoolVar(&p.dry, "dry-run", false, "only show the runs that it would have")
}

// spec is what the flags say.
func (p *putFlags) spec(in io.Reader, retries bool) (schedule.Spec, error) {
	s := schedule.Spec{
		Zone: p.zone, WindowMs: p.window.Milliseconds(), Paused: p.paused, Missed: course.Missed(p.missed), DeleteAfter: p.deleteAfter,
		Description: p.description, DeadLetters: p.dead, Retry: schedule.Retry{MaxAgeMs: p.maxAge.Milliseconds()},
		Target: schedule.Target{
			Topic: p.topic, Queue: p.queue, Bus: p.bus, SNS: p.sns, Function: p.function, URL: p.url,
			Type: p.kind, Source: p.source, Key: p.key, Method: p.method,
		},
	}
	if retries {
		s.Retry.Retries = &p.retries
	}
	var err error
	if s.Expression, err = p.expression(time.Now()); err != nil {
		return s, err
	}
	if s.StartMs, err = ask.Moment("--start", p.start); err != nil {
		return s, err
	}
	if s.EndMs, err = ask.Moment("--end", p.end); err != nil {
		return s, err
	}
	for _, h := range p.headers {
		k, v, ok := strings.Cut(h, "=")
		if !ok {
			return s, fail.Usagef("--header %s: want NAME=VALUE", h)
		}
		if s.Target.Headers == nil {
			s.Target.Headers = map[string]string{}
		}
		s.Target.Headers[k] = v
	}
	s.Target.Input, err = p.content(in)
	return s, err
}

// content is what runs deliver.
func (p *putFlags) content(in io.Reader) (string, error) {
	var b []byte
	var err error
	switch {
	case p.input != "" && p.inputFile != "":
		return "", fail.Usagef("--input and --input-file say the same thing: give one")
	case p.inputFile != "":
		b, err = os.ReadFile(p.inputFile)
	case p.input == "-":
		b, err = io.ReadAll(io.LimitReader(in, schedule.MostInput+1))
	default:
		return p.input, nil
	}
	if err != nil {
		return "", fail.New(fail.Failed, "cannot read what the runs shall deliver", err.Error(), "")
	}
	return string(b), nil
}

// expression is the one of --at, --every and --cron that was given.
func (p *putFlags) expression(now time.Time) (string, error) {
	var given []string
	for _, e := range []string{p.at, p.every, p.cron} {
		if e != "" {
			given = append(given, e)
		}
	}
	switch {
	case len(given) != 1:
		return "", fail.Usagef("when shall it run? give one of --at, --every and --cron")
	case p.every != "":
		return every(p.every)
	case p.at != "":
		return p.once(now)
	}
	return p.cron, nil
}

func (p *putFlags) once(now time.Time) (string, error) {
	rest, relative := strings.CutPrefix(p.at, "+")
	if !relative {
		return "at(" + p.at + ")", nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 {
		return "", fail.Usagef("--at %s: want a time like 2026-12-24T18:00:00, or +10m", p.at)
	}
	zone, err := time.LoadLocation(p.zone)
	if err != nil {
		return "", fail.Usagef("--zone %s is no time zone; it takes names like Europe/Berlin", p.zone)
	}
	return "at(" + now.Add(d).In(zone).Format("2006-01-02T15:04:05.000") + ")", nil
}

// every writes a duration as a rate, in the largest unit that it is whole in.
func every(text string) (string, error) {
	day := int64(24 * time.Hour)
	var d int64
	if n, ok := strings.CutSuffix(text, "d"); ok {
		days, err := strconv.ParseInt(n, 10, 32)
		if err != nil {
			return "", fail.Usagef("--every %s: want 30s, 5m, 2h or 1d", text)
		}
		d = days * day
	} else if parsed, err := time.ParseDuration(text); err == nil {
		d = int64(parsed)
	}
	if d <= 0 || d%int64(time.Second) != 0 {
		return "", fail.Usagef("--every %s: want whole seconds, as 30s, 5m, 2h or 1d", text)
	}
	for _, u := range []struct {
		name string
		size int64
	}{{"days", day}, {"hours", int64(time.Hour)}, {"minutes", int64(time.Minute)}, {"seconds", int64(time.Second)}} {
		if d%u.size == 0 {
			return "rate(" + strconv.FormatInt(d/u.size, 10) + " " + u.name + ")", nil
		}
	}
	return "", errors.New("a whole number of seconds has a unit") // not reached
}

func putSchedule(o *ask.Options, cmd *cobra.Command, p *putFlags, name string, spec schedule.Spec) error {
	var d rest.Schedule
	if err := o.Ask(cmd.Context(), p.http, "cannot put schedule "+name, http.MethodPut, p.path(name), nil, spec, &d); err != nil {
		return err
	}
	if err := o.Print(scheduleTable(d)); err != nil || o.Format != "table" {
		return err
	}
	return showRuns(cmd.Context(), o, &p.scheduleFlags, name, mostRuns)
}

// dryRun shows the runs that a schedule would have.
func dryRun(o *ask.Options, cmd *cobra.Command, p *putFlags, name string, spec schedule.Spec) error {
	var runs rest.Runs
	if err := o.Ask(cmd.Context(), p.http, "schedule "+name+" cannot be", http.MethodPost, "/schedule-preview", nil, spec, &runs); err != nil {
		return err
	}
	return o.Print(runsTable(runs.Runs, time.Now()))
}
