package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/event/name"
)

// awsVariable is one that AWS's SDKs and tools read.
type awsVariable struct{ name, value string }

// awsVariables lead SDKs and tools to a node. Keys have to be set, or clients
// look for some in the network; which ones does not matter.
func awsVariables(address, region string) []awsVariable {
	return []awsVariable{
		{"AWS_ENDPOINT_URL", "http://" + address},
		{"AWS_REGION", region},
		{"AWS_DEFAULT_REGION", region},
		{"AWS_ACCESS_KEY_ID", "ottla"},
		{"AWS_SECRET_ACCESS_KEY", "ottla"},
	}
}

// shells are how variables are set in each.
var shells = map[string]func(awsVariable) string{
	"sh":         func(v awsVariable) string { return "export " + v.name + "=" + v.value },
	"fish":       func(v awsVariable) string { return "set -gx " + v.name + " " + v.value },
	"powershell": func(v awsVariable) string { return `$env:` + v.name + ` = "` + v.value + `"` },
	"cmd":        func(v awsVariable) string { return "set " + v.name + "=" + v.value },
	"env":        func(v awsVariable) string { return v.name + "=" + v.value },
}

func awsCommand(o *ask.Options) *cobra.Command {
	c := ask.Noun("aws", "", "Use AWS's SDKs and tools with Ottla", awsEnvCommand(o))
	c.Aliases = nil
	return c
}

func awsEnvCommand(o *ask.Options) *cobra.Command {
	var address, shell, region string
	c := &cobra.Command{
		Use:   "env",
		Short: "Print what a shell needs for AWS's SDKs and tools to find this node",
		Long: "Print the variables by which AWS's SDKs and tools find this node: its address, a region,\n" +
			"and keys, which are not checked. SQS, SNS, EventBridge, its Scheduler, event source mappings of\n" +
			"Lambda and STS's GetCallerIdentity are served; see docs/aws.md. Version 1 of the AWS CLI forgets AWS_ENDPOINT_URL for sqs: it\n" +
			"wants --endpoint-url.",
		Example: "  eval \"$(ottla aws env)\"\n" +
			"  aws --endpoint-url $AWS_ENDPOINT_URL sqs create-queue --queue-name orders\n" +
			"  ottla aws env --shell fish | source\n" +
			"  ottla aws env --shell env > .env",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			write, ok := shells[shell]
			if !ok {
				return fail.Usagef("--shell %s is not known: it takes sh, fish, powershell, cmd or env", shell)
			}
			if err := name.CheckPlace(name.DefaultAccount, region); err != nil {
				return fail.Usagef("--region: %v", err)
			}
			at := o.HTTPAddress(cmd.Context(), address)
			if at == "" {
				return fail.Usagef("which node? give --http HOST:PORT of its HTTP port")
			}
			if err := answersAWS(cmd.Context(), o, at); err != nil {
				return err
			}
			variables := awsVariables(at, region)
			if o.Format != "table" {
				t := &out.Table{Columns: []out.Column{{Field: "name", Title: "NAME"}, {Field: "value", Title: "VALUE"}}}
				for _, v := range variables {
					t.Add(v.name, v.value)
				}
				return o.Print(t)
			}
			for _, v := range variables {
				if _, err := fmt.Fprintln(o.Out, write(v)); err != nil {
					return fmt.Errorf("write the variables: %w", err)
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&address, "http", ask.EnvOr("OTTLA_HTTP", ""), "HOST:PORT of the node's HTTP port (default "+ask.DefaultHTTP+", where ottla dev has it)")
	c.Flags().StringVar(&shell, "shell", "sh", "whose words to print: sh, fish, powershell, cmd, or env for a file of variables")
	c.Flags().StringVar(&region, "region", name.DefaultRegion, "region; queues of another than the default have topics with the region before their names")
	return c
}

// awsAt is the flag that leads to an HTTP port which is not the usual one.
func awsAt(address string) string {
	if address == ask.DefaultHTTP {
		return ""
	}
	return " --http " + address
}

// answersAWS asks who calls, as tools do first.
func answersAWS(ctx context.Context, o *ask.Options, address string) error {
	ctx, cancel := context.WithTimeout(ctx, o.ConnectTimeout)
	defer cancel()
	what := "no Ottla answers AWS's calls at " + address
	const next = "start one with \"ottla dev\", or name its HTTP port with --http HOST:PORT"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/?Action=GetCallerIdentity&Version=2011-06-15", nil)
	if err != nil {
		return fail.Usagef("--http %s: %v", address, err)
	}
	asks := http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}} // a node is asked itself
	resp, err := asks.Do(req)
	if err != nil {
		return fail.New(fail.Unreachable, what, err.Error(), next)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	switch {
	case err != nil:
		return fail.New(fail.Unreachable, what, err.Error(), next)
	case resp.StatusCode == http.StatusForbidden:
		return fail.New(fail.NotAllowed, what+" to this machine", "there is no login yet", "run the node with --insecure where the network is trusted")
	case resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "GetCallerIdentityResult"):
		return fail.New(fail.Unreachable, what, "it answers "+resp.Status+" to GetCallerIdentity", next)
	}
	return nil
}
