package bus

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
)

// place is what To of a target means: a plan.Place, or what is called.
type place struct {
	plan.Place
	// Exactly one of these where Kind is plan.Call.
	url         string
	destination name.Ref
	function    string
	native      bool // not an ARN: what it names must be there
}

// words begin the native forms of To.
var words = map[string]name.Kind{
	"topic": name.Topic, "queue": name.Queue, "bus": name.Bus, "sns": name.SNS, "destination": name.Destination, "function": name.Function,
}

// foreign are services of AWS whose resources are targets there.
var foreign = map[string]string{
	"states": "step machines", "kinesis": "Kinesis streams", "firehose": "Firehose streams", "ecs": "ECS tasks", "batch": "Batch jobs",
	"codebuild": "CodeBuild projects", "codepipeline": "CodePipeline pipelines", "logs": "CloudWatch log groups", "redshift": "Redshift clusters",
	"redshift-serverless": "Redshift workgroups", "sagemaker": "SageMaker pipelines", "ssm": "Systems Manager documents", "ec2": "EC2 actions",
	"execute-api": "API Gateway stages", "inspector": "Inspector templates", "glue": "Glue workflows", "ssm-incidents": "response plans",
	"appsync": "AppSync APIs",
}

// parsePlace reads where a target's events go; a name is of the account and region
// of at.
func parsePlace(to string, at name.Ref) (place, error) {
	if len(to) > mostURL {
		return place{}, invalid("to", "it has %d characters; %d are possible", len(to), mostURL)
	}
	switch {
	case to == "":
		return place{}, invalid("to", "a target says where its events go")
	case strings.HasPrefix(to, "http://"), strings.HasPrefix(to, "https://"):
		return parseURL(to)
	case strings.HasPrefix(to, "arn:"):
		return parseARN(to)
	}
	word, own, _ := strings.Cut(to, ":")
	kind, ok := words[word]
	if !ok {
		return place{}, invalid("to", "%.80q is no place for events: want topic:NAME, queue:NAME, bus:NAME, sns:NAME, destination:NAME, function:NAME, an http(s) URL or an ARN", to)
	}
	if strings.HasPrefix(own, "arn:") {
		p, err := parseARN(own)
		if err == nil && p.kind() != kind {
			return place{}, invalid("to", "%s is no ARN of a %s", own, word)
		}
		return p, err
	}
	p, err := placeOf(name.Ref{Kind: kind, Account: at.Account, Region: at.Region, Name: own})
	p.native = true
	return p, err
}

func parseARN(arn string) (place, error) {
	if p := strings.SplitN(arn, ":", 6); len(p) == 6 && foreign[p[2]] != "" {
		return place{}, invalid("to", "%s cannot be targets of Ottla: it has queues, topics, buses, SNS topics, API destinations and functions", foreign[p[2]])
	}
	ref, err := name.ParseARN(arn)
	if err != nil {
		return place{}, because("to", err)
	}
	return placeOf(ref)
}

// placeOf is the place that an object is.
func placeOf(ref name.Ref) (place, error) {
	if err := name.Check(ref.Kind, ref.Name); err != nil {
		return place{}, because("to", err)
	}
	switch ref.Kind {
	case name.Topic:
		return place{Place: plan.Place{Kind: plan.Topic, Topic: ref.Name, Ref: ref}}, checkTopic("to", ref.Name)
	case name.Queue:
		return place{Place: plan.Place{Kind: plan.Queue, Ref: ref}}, nil
	case name.Bus:
		return place{Place: plan.Place{Kind: plan.Bus, Ref: ref}}, nil
	case name.SNS:
		return place{Place: plan.Place{Kind: plan.SNS, Ref: ref}}, nil
	case name.Destination:
		return place{Place: plan.Place{Kind: plan.Call}, destination: ref}, nil
	case name.Function:
		return place{Place: plan.Place{Kind: plan.Call}, function: ref.Name}, nil
	}
	return place{}, invalid("to", "%s cannot be a target: it is no place for events", ref)
}

// kind is what the place is as an object; "" for a URL.
func (p *place) kind() name.Kind {
	switch {
	case p.destination != (name.Ref{}):
		return name.Destination
	case p.function != "":
		return name.Function
	case p.url != "":
		return ""
	}
	return p.Ref.Kind
}

// methods are those of calls.
var methods = []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions}

func parseURL(text string) (place, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return place{}, because("to", err)
	case u.Host == "" || u.User != nil:
		return place{}, invalid("to", "a URL must be https://HOST/… (or http://), without a user in it")
	}
	return place{Place: plan.Place{Kind: plan.Call}, url: text}, nil
}

func checkMethod(method string) error {
	if method != "" && !slices.Contains(methods, method) {
		return invalid("method", "%.16q is not known: it takes %s", method, strings.Join(methods, ", "))
	}
	return nil
}
