package admin

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/doctor"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/cli/reach"
)

// DoctorCommand looks for what is wrong.
func DoctorCommand(o *ask.Options) *cobra.Command {
	var http string
	var only []string
	var strict bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Examine the cluster as a client sees it: what is wrong, by what evidence, what to run",
		Long: "Examine the cluster as a client sees it. Nothing is changed. Each check has a code that\n" +
			"stays (\"ottla explain D09\" says what it is for). The exit code is 1 when something fails.",
		Example: "  ottla doctor\n  ottla doctor --only D09,D13 -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, code := range only {
				if _, ok := doctor.Find(code); !ok {
					return fail.Usagef("--only %s: there is no such check (D01 to D%02d)", code, len(doctor.Checks()))
				}
			}
			a, done, err := o.Admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			addresses, err := reach.Split(o.Bootstrap)
			if err != nil {
				return fail.Usagef("-b: %v", err)
			}
			at := ""
			if http != "" || !cmd.Flags().Changed("http") {
				at = o.HTTPAddress(cmd.Context(), http)
			}
			facts, err := doctor.Gather(cmd.Context(), doctor.Sources{
				Addresses: addresses, Timeout: o.ConnectTimeout, Admin: a, HTTP: at, Now: time.Now,
			})
			if err != nil {
				return ask.KafkaFailure("the doctor could not examine the cluster", err)
			}
			return reportFindings(o, doctor.Examine(facts, only...), strict)
		},
	}
	c.AddCommand(doctorDurability(o), doctorEvents(o))
	f := c.Flags()
	f.StringVar(&http, "http", ask.EnvOr("OTTLA_HTTP", ""), "HOST:PORT of a node's HTTP port, for its descriptors, memory and queues (default: as nodes say; \"\" for none)")
	f.StringSliceVar(&only, "only", nil, "run only these checks, by code")
	f.BoolVar(&strict, "strict", false, "let warnings make the exit code 1 too")
	return c
}

func reportFindings(o *ask.Options, found []doctor.Finding, strict bool) error {
	worst := map[doctor.Status]int{}
	t := &out.Table{Columns: []out.Column{{Field: "code"}, {Field: "check"}, {Field: "status"}, {Field: "evidence"}, {Field: "fix"}}}
	for _, f := range found {
		worst[f.Status]++
		var fix any
		if f.Fix != "" {
			fix = f.Fix
		}
		t.Add(f.Code, f.Check, string(f.Status), f.Evidence, fix)
	}
	if o.Format == "table" {
		listFindings(o, found, worst)
	} else if err := o.Print(t); err != nil {
		return err
	}
	if worst[doctor.Fail] > 0 || strict && worst[doctor.Warn] > 0 {
		return ask.Silent(fail.Failed)
	}
	return nil
}

func listFindings(o *ask.Options, found []doctor.Finding, count map[doctor.Status]int) {
	wide := 0
	for _, f := range found {
		wide = max(wide, len(f.Check))
	}
	for _, f := range found {
		fmt.Fprintf(o.Out, "%-7s  %s  %-*s  %s\n", f.Status, f.Code, wide, f.Check, f.Evidence)
		if f.Fix != "" {
			fmt.Fprintf(o.Out, "%*s  try: %s\n", 7+2+3+2+wide, "", f.Fix)
		}
	}
	fmt.Fprintf(o.Out, "\n%d well, %s, %s, %d skipped\n", count[doctor.OK], ask.CountWord(int64(count[doctor.Warn]), "warning"), ask.CountWord(int64(count[doctor.Fail]), "failure"), count[doctor.Skipped])
}
