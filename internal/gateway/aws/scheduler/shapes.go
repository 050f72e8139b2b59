package scheduler

import (
	"encoding/json"

	"ottla/internal/gateway/aws/protocol"
)

type moment = protocol.Moment

// window is FlexibleTimeWindow.
type window struct {
	Mode    string `json:"Mode"`
	Minutes *int64 `json:"MaximumWindowInMinutes,omitempty"`
}

// target is Target. Parameters of services that are not served are read to be
// refused by name.
type target struct {
	Arn         string          `json:"Arn"`
	RoleArn     string          `json:"RoleArn,omitempty"`
	Input       string          `json:"Input,omitempty"`
	DeadLetter  *deadLetter     `json:"DeadLetterConfig,omitempty"`
	Retry       *retry          `json:"RetryPolicy,omitempty"`
	SQS         *sqsParameters  `json:"SqsParameters,omitempty"`
	EventBridge *busParameters  `json:"EventBridgeParameters,omitempty"`
	ECS         json.RawMessage `json:"EcsParameters,omitempty"`
	Kinesis     json.RawMessage `json:"KinesisParameters,omitempty"`
	SageMaker   json.RawMessage `json:"SageMakerPipelineParameters,omitempty"`
}

type deadLetter struct {
	Arn string `json:"Arn,omitempty"`
}

type retry struct {
	MaxAge   *int64 `json:"MaximumEventAgeInSeconds,omitempty"`
	Attempts *int   `json:"MaximumRetryAttempts,omitempty"`
}

type sqsParameters struct {
	MessageGroupID string `json:"MessageGroupId,omitempty"`
}

// busParameters are EventBridgeParameters.
type busParameters struct {
	DetailType string `json:"DetailType"`
	Source     string `json:"Source"`
}

// written is what CreateSchedule and UpdateSchedule take.
type written struct {
	Group       string  `json:"GroupName"`
	Expression  string  `json:"ScheduleExpression"`
	Zone        string  `json:"ScheduleExpressionTimezone"`
	Start       *moment `json:"StartDate"`
	End         *moment `json:"EndDate"`
	Window      *window `json:"FlexibleTimeWindow"`
	State       string  `json:"State"`
	Completion  string  `json:"ActionAfterCompletion"`
	Description string  `json:"Description"`
	Target      *target `json:"Target"`
	KmsKeyArn   string  `json:"KmsKeyArn"`
	ClientToken string  `json:"ClientToken"`
}

// shown is what GetSchedule answers.
type shown struct {
	Arn         string  `json:"Arn"`
	Name        string  `json:"Name"`
	Group       string  `json:"GroupName"`
	Expression  string  `json:"ScheduleExpression"`
	Zone        string  `json:"ScheduleExpressionTimezone"`
	Start       *moment `json:"StartDate,omitempty"`
	End         *moment `json:"EndDate,omitempty"`
	Window      window  `json:"FlexibleTimeWindow"`
	State       string  `json:"State"`
	Completion  string  `json:"ActionAfterCompletion"`
	Description string  `json:"Description,omitempty"`
	Target      target  `json:"Target"`
	Created     moment  `json:"CreationDate"`
	Modified    moment  `json:"LastModificationDate"`
}

// extra is what this door keeps with a schedule.
type extra struct {
	RoleArn string `json:"role_arn,omitempty"`
	maker
	// Universal is a universal target as it was written; nil for others.
	Universal *universal `json:"universal,omitempty"`
	// NoInput says that no Input was given: the schedule has defaultInput then.
	NoInput bool `json:"no_input,omitempty"`
	// StartMs and EndMs are those of a schedule that runs once, for which they
	// mean nothing.
	StartMs int64 `json:"start_ms,omitempty"`
	EndMs   int64 `json:"end_ms,omitempty"`
}

// maker is the request that made a schedule; updates leave it.
type maker struct {
	ClientToken string `json:"client_token,omitempty"`
	// Request is what the request with the token wrote, so that another one with
	// the same token is told apart.
	Request string `json:"request,omitempty"`
}
