package rest

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"ottla/internal/event/name"
	"ottla/internal/event/plan"
	"ottla/internal/event/sns"
)

// SNSService is what the door asks of SNS topics; internal/event/sns has it.
type SNSService interface {
	Create(ctx context.Context, ref name.Ref, spec sns.TopicSpec) (sns.Topic, error)
	Get(ctx context.Context, ref name.Ref) (sns.Topic, error)
	List(ctx context.Context, begin name.Ref, after string, most int) (topics []sns.Topic, next string, err error)
	Delete(ctx context.Context, ref name.Ref) error
	Subscribe(ctx context.Context, topic name.Ref, spec sns.SubscriptionSpec) (sns.Subscription, error)
	Subscriptions(ctx context.Context, of name.Ref, topic bool, after string, most int) (subs []sns.Subscription, next string, err error)
	Unsubscribe(ctx context.Context, ref name.Ref, authenticated bool) error
	Publish(ctx context.Context, topic name.Ref, messages []sns.Message) ([]sns.Published, error)
}

// SNSTopic is an SNS topic as it is.
type SNSTopic struct {
	Name       string            `json:"name"`
	Account    string            `json:"account"`
	Region     string            `json:"region"`
	ARN        string            `json:"arn"`
	Topic      string            `json:"topic"`
	Adopted    bool              `json:"adopted,omitempty"`
	FIFO       bool              `json:"fifo,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	CreatedMs  int64             `json:"created_ms"`
	ModifiedMs int64             `json:"modified_ms"`
}

// SNSTopics is one page of SNS topics.
type SNSTopics struct {
	Topics []SNSTopic `json:"topics"`
	Next   string     `json:"next,omitempty"`
}

// SNSTopicOrder is the body that makes an SNS topic.
type SNSTopicOrder struct {
	Partitions int32             `json:"partitions,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"` // as SNS names them
	Tags       map[string]string `json:"tags,omitempty"`
}

// Subscription is a subscription as it is.
type Subscription struct {
	ID         string            `json:"id"`
	Topic      string            `json:"topic"`
	ARN        string            `json:"arn"`
	Protocol   string            `json:"protocol"`
	Endpoint   string            `json:"endpoint"`
	Pending    bool              `json:"pending,omitempty"` // it waits to be confirmed
	Attributes map[string]string `json:"attributes,omitempty"`
}

// Subscriptions is one page of subscriptions.
type Subscriptions struct {
	Subscriptions []Subscription `json:"subscriptions"`
	Next          string         `json:"next,omitempty"`
}

// SubscriptionOrder is the body that makes a subscription.
type SubscriptionOrder struct {
	Protocol   string            `json:"protocol"`
	Endpoint   string            `json:"endpoint"`
	Attributes map[string]string `json:"attributes,omitempty"` // as SNS names them
}

// Publication is the body that publishes a message.
type Publication struct {
	Message    string            `json:"message"`
	Subject    string            `json:"subject,omitempty"`
	Structured bool              `json:"structured,omitempty"` // it is JSON with a body for each protocol
	Attributes map[string]string `json:"attributes,omitempty"`
	Group      string            `json:"group,omitempty"`
	Dedup      string            `json:"dedup,omitempty"`
}

// PublishedMessage is what became of it.
type PublishedMessage struct {
	ID       string `json:"id"`
	Sequence string `json:"sequence,omitempty"`
}

func (d *door) snsRoutes() map[string]handler {
	return map[string]handler{
		"GET /sns":                               d.listSNSTopics,
		"PUT /sns/{name}":                        d.createSNSTopic,
		"GET /sns/{name}":                        d.describeSNSTopic,
		"DELETE /sns/{name}":                     d.deleteSNSTopic,
		"POST /sns/{name}":                       d.publish,
		"GET /subscription":                      d.listAllSubscriptions,
		"GET /sns/{name}/subscriptions":          d.listSubscriptions,
		"POST /sns/{name}/subscriptions":         d.subscribe,
		"DELETE /sns/{name}/subscriptions/{sub}": d.unsubscribe,
	}
}

// snsRef is the SNS topic of a name, at the place that the request names.
func snsRef(r *http.Request, called string) name.Ref {
	at := placed(r, "")
	return name.Ref{Kind: name.SNS, Account: at.Account, Region: at.Region, Name: called}
}

func snsShape(t *sns.Topic) SNSTopic {
	return SNSTopic{
		Name: t.Name, Account: t.Account, Region: t.Region, ARN: t.ARN(), Topic: t.Topic, Adopted: t.Adopted, FIFO: t.FIFO(), Attributes: t.Attributes, Tags: t.Tags,
		CreatedMs: t.Created.UnixMilli(), ModifiedMs: t.Modified.UnixMilli(),
	}
}

func (d *door) listSNSTopics(w http.ResponseWriter, r *http.Request) error {
	most, err := count(r, "max", 100, maxPage)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	found, next, err := d.SNS.List(r.Context(), snsRef(r, q.Get("prefix")), q.Get("next"), most)
	if err != nil {
		return err
	}
	out := SNSTopics{Topics: []SNSTopic{}, Next: next}
	for i := range found {
		out.Topics = append(out.Topics, snsShape(&found[i]))
	}
	answer(w, http.StatusOK, out)
	return nil
}

func (d *door) createSNSTopic(w http.ResponseWriter, r *http.Request) error {
	var in SNSTopicOrder
	if err := readInto(r, &in); err != nil {
		return err
	}
	t, err := d.SNS.Create(r.Context(), snsRef(r, r.PathValue("name")), sns.TopicSpec{Partitions: in.Partitions, Attributes: in.Attributes, Tags: in.Tags})
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, snsShape(&t))
	return nil
}

func (d *door) describeSNSTopic(w http.ResponseWriter, r *http.Request) error {
	t, err := d.SNS.Get(r.Context(), snsRef(r, r.PathValue("name")))
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, snsShape(&t))
	return nil
}

func (d *door) deleteSNSTopic(w http.ResponseWriter, r *http.Request) error {
	if err := d.SNS.Delete(r.Context(), snsRef(r, r.PathValue("name"))); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (d *door) publish(w http.ResponseWriter, r *http.Request) error {
	var in Publication
	if err := readInto(r, &in); err != nil {
		return err
	}
	m := sns.Message{Body: in.Message, Subject: in.Subject, JSON: in.Structured, Group: in.Group, DedupID: in.Dedup}
	for _, k := range slices.Sorted(maps.Keys(in.Attributes)) {
		m.Attributes = append(m.Attributes, plan.Attribute{Name: k, Type: "String", Value: []byte(in.Attributes[k])})
	}
	got, err := d.SNS.Publish(r.Context(), snsRef(r, r.PathValue("name")), []sns.Message{m})
	if err == nil {
		err = got[0].Err
	}
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, PublishedMessage{got[0].ID, got[0].Sequence})
	return nil
}

func subscriptionShape(s *sns.Subscription) Subscription {
	_, id, _ := name.Split(s.Name)
	return Subscription{ID: id, Topic: s.TopicRef().Name, ARN: s.ARN(), Protocol: s.Protocol, Endpoint: s.Endpoint, Pending: s.Pending, Attributes: s.Attributes}
}

func (d *door) listAllSubscriptions(w http.ResponseWriter, r *http.Request) error {
	return d.subscriptionsOf(w, r, snsRef(r, ""), false)
}

func (d *door) listSubscriptions(w http.ResponseWriter, r *http.Request) error {
	return d.subscriptionsOf(w, r, snsRef(r, r.PathValue("name")), true)
}

func (d *door) subscriptionsOf(w http.ResponseWriter, r *http.Request, of name.Ref, topic bool) error {
	most, err := count(r, "max", 100, maxPage)
	if err != nil {
		return err
	}
	found, next, err := d.SNS.Subscriptions(r.Context(), of, topic, r.URL.Query().Get("next"), most)
	if err != nil {
		return err
	}
	out := Subscriptions{Subscriptions: []Subscription{}, Next: next}
	for i := range found {
		out.Subscriptions = append(out.Subscriptions, subscriptionShape(&found[i]))
	}
	answer(w, http.StatusOK, out)
	return nil
}

func (d *door) subscribe(w http.ResponseWriter, r *http.Request) error {
	var in SubscriptionOrder
	if err := readInto(r, &in); err != nil {
		return err
	}
	spec := sns.SubscriptionSpec{Protocol: in.Protocol, Endpoint: in.Endpoint, Attributes: in.Attributes, Base: baseOf(r)}
	s, err := d.SNS.Subscribe(r.Context(), snsRef(r, r.PathValue("name")), spec)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, subscriptionShape(&s))
	return nil
}

// baseOf is how this cluster was reached.
func baseOf(r *http.Request) string {
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// unsubscribe ends a subscription; who may call natively may end those too that are
// ended by signed calls.
func (d *door) unsubscribe(w http.ResponseWriter, r *http.Request) error {
	ref := snsRef(r, r.PathValue("name")+"/"+r.PathValue("sub"))
	ref.Kind = name.Subscription
	if err := d.SNS.Unsubscribe(r.Context(), ref, true); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
