package admin

import (
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/doctor"
	"ottla/internal/cli/fail"
	"ottla/internal/event/lookback"
)

func doctorEvents(o *ask.Options) *cobra.Command {
	var http string
	var last int
	var strict bool
	c := &cobra.Command{
		Use:   "events",
		Short: "Examine queues, dead letters, schedules, buses, rules and targets alone, one by one",
		Long: "Examine the event layer alone: queues, dead letters, timers and schedules; and of buses, the\n" +
			"rules that took none of the last events, fields that rules ask for and no event has, buses\n" +
			"that send events round, targets without dead letters, and targets that are behind, fail or\n" +
			"are disabled. \"ottla doctor\" has the same checks, in short.",
		Example: "  ottla doctor events\n  ottla doctor events --last 100000 -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if last < 1 || last > lookback.MostLast {
				return fail.Usagef("--last takes 1 to %d", lookback.MostLast)
			}
			a, done, err := o.Admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			facts, err := doctor.GatherEvents(cmd.Context(), doctor.Sources{
				Timeout: o.Timeout, Admin: a, HTTP: o.HTTPAddress(cmd.Context(), http), Now: time.Now, Last: last,
			})
			if err != nil {
				return ask.KafkaFailure("the doctor could not examine the cluster", err)
			}
			return reportFindings(o, doctor.Examine(facts, doctor.EventChecks()...), strict)
		},
	}
	f := c.Flags()
	ask.BindHTTP(f, &http)
	f.IntVar(&last, "last", doctor.DefaultLast, "how many events of each partition are looked at, 1000000 at most")
	f.BoolVar(&strict, "strict", false, "let warnings make the exit code 1 too")
	return c
}
