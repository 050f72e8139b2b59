package cli

import (
	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/config"
)

// completeSettings completes names of topic settings, or of broker settings
// when no topic is named; assign puts = behind them.
func completeSettings(assign bool) ask.Completion {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		scope := config.ScopeBroker
		if f := cmd.Flags().Lookup("topic"); f == nil || f.Value.String() != "" {
			scope = config.ScopeTopic
		}
		var out []string
		for _, d := range config.All(scope) {
			name := d.Name
			if assign {
				name += "="
			}
			out = append(out, name)
		}
		directive := cobra.ShellCompDirectiveNoFileComp
		if assign {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		return out, directive
	}
}

// completeNames gives every command the completion of what it names.
func completeNames(o *ask.Options, root *cobra.Command) {
	args := map[string]ask.Completion{
		"topic describe": o.CompleteTopics, "topic delete": o.CompleteTopics, "topic alter": o.OneTopic, "produce": o.OneTopic, "consume": o.OneTopic,
		"config set": completeSettings(true), "config unset": completeSettings(false),
	}
	flags := map[string]map[string]ask.Completion{
		"config list": {"topic": o.CompleteTopics}, "config set": {"topic": o.CompleteTopics}, "config unset": {"topic": o.CompleteTopics},
		"consume": {"group": o.CompleteGroups}, "explain": {"topic": o.CompleteTopics}, "group reset": {"topic": o.CompleteTopics}, "group delete": {"topic": o.CompleteTopics},
		"topic create": {"config": completeSettings(true)}, "topic alter": {"config": completeSettings(true), "unset": completeSettings(false)},
	}
	var walk func(c *cobra.Command, path string)
	walk = func(c *cobra.Command, path string) {
		if complete := args[path]; complete != nil {
			c.ValidArgsFunction = complete
		}
		for flag, complete := range flags[path] {
			if c.RegisterFlagCompletionFunc(flag, complete) != nil {
				panic("cli: completion for a flag that is not there: " + path + " --" + flag)
			}
		}
		for _, sub := range c.Commands() {
			name := sub.Name()
			if path != "" {
				name = path + " " + name
			}
			walk(sub, name)
		}
	}
	walk(root, "")
}
