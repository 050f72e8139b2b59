package ask

import (
	"github.com/spf13/cobra"

	"ottla/internal/cli/fail"
)

// ExitCode ends a command that has already said what there was to say.
type ExitCode struct{ Code int }

// Silent ends a command with a code when it has said what there was to say.
func Silent(code int) error { return &ExitCode{code} }

// Error is never printed: what there was to say has been said.
func (e *ExitCode) Error() string { return "already reported" }

// Noun makes a noun: a command that only holds verbs.
func Noun(use, alias, short string, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:     use,
		Aliases: []string{alias},
		Short:   short,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fail.Usagef("ottla %s has no command %q", use, args[0])
			}
			return c.Help()
		},
	}
	c.AddCommand(verbs...)
	return c
}

// PluralLists makes a noun called by its plural alone list: `ottla topics` is
// `ottla topic list`.
func PluralLists(noun, list *cobra.Command) *cobra.Command {
	bare := noun.RunE
	noun.RunE = func(cmd *cobra.Command, args []string) error {
		if cmd.CalledAs() == noun.Aliases[0] && len(args) == 0 {
			return list.RunE(cmd, args)
		}
		return bare(cmd, args)
	}
	return noun
}
