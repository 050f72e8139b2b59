package scheduler

import (
	"encoding/json"
	"strings"
	"testing"

	"ottla/internal/gateway/aws/protocol"
)

// Expressions that AWS was seen to refuse, each in the same words.
func TestWhatAWSRefusesAsAnExpressionIsRefusedInItsWords(t *testing.T) {
	for _, text := range []string{
		"cron(0 1 * * * *)", "cron(7 20 * * NOT *)", "cron(INVALID)", "cron(0 dummy ? * MON-FRI *)", "cron(71 8 1 * ? *)", "cron()",
		"rate(10 seconds)", "rate(10 years)", "rate()", "rate(10)", "rate(10 minutess)", "rate(foo minutes)", "rate(-10 minutes)", "rate( 10 minutes )", " rate(10 minutes)",
		"at(2021-12-31T23:59:59Z)", "at(2021-12-31)", "0 3 * * *",
	} {
		_, err := readExpression(text)
		if want := "Invalid Schedule Expression " + text + "."; err == nil || !strings.HasPrefix(protocol.AsError(err).Message, want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{"cron(0 3 * * ? *)", "rate(1 minute)", "rate(5 days)", "at(2027-12-31T23:59:59)"} {
		if _, err := readExpression(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAllThatIsBrokenIsToldAtOnce(t *testing.T) {
	minutes := int64(1441)
	w := written{State: "ON", Window: &window{Mode: "FLEXIBLE", Minutes: &minutes}, Target: &target{}, ClientToken: strings.Repeat("x", 65)}
	err := w.check(&protocol.Call{Name: "a b"})
	want := "7 validation errors detected: Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$; " +
		"Value null at 'scheduleExpression' failed to satisfy constraint: Member must not be null; " +
		"Value 'ON' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [ENABLED, DISABLED]; " +
		"Value '" + w.ClientToken + "' at 'clientToken' failed to satisfy constraint: Member must have length less than or equal to 64; " +
		"Value '1441' at 'flexibleTimeWindow.maximumWindowInMinutes' failed to satisfy constraint: Member must have value less than or equal to 1440; " +
		"Value null at 'target.arn' failed to satisfy constraint: Member must not be null; " +
		"Value null at 'target.roleArn' failed to satisfy constraint: Member must not be null"
	if err == nil || protocol.AsError(err).Message != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestATargetWithoutInputGetsAnEvent(t *testing.T) {
	w := written{Expression: "rate(1 hour)", Window: &window{Mode: off}, Target: &target{Arn: "https://example.com/", RoleArn: "r"}}
	spec, err := w.spec(&protocol.Call{Account: "123456789012", Region: "eu-west-1"}, maker{})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(spec.Target.Input), &got); err != nil {
		t.Fatalf("%s: %v", spec.Target.Input, err)
	}
	for name, want := range map[string]any{
		"version": "0", "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": "123456789012", "region": "eu-west-1", "detail": "{}",
		"id": "<aws.scheduler.execution-id>", "time": "<aws.scheduler.scheduled-time>",
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if of, ok := got["resources"].([]any); !ok || len(of) != 1 || of[0] != "<aws.scheduler.schedule-arn>" {
		t.Errorf("resources are %v", got["resources"])
	}
}
