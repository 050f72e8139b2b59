package sns

import (
	"net/url"
	"strconv"

	"ottla/internal/event/plan"
	"ottla/internal/event/sns/notice"
	"ottla/internal/kafka/queues"
)

// renderer makes what a subscription gets of its topic's messages.
type renderer struct {
	s     *Service
	topic Topic
	sub   Subscription
}

// textType is what addresses are told of a notification, as SNS does.
const textType = "text/plain; charset=UTF-8"

// read takes an event's record as a message; one that nobody gave an id has one that
// follows from its place.
func (r *renderer) read(e *plan.Event) notice.Message {
	m := notice.Read(e.Raw)
	if m.ID == "" {
		m.ID = queues.IDOf([]byte(r.topic.ID + "\x00" + strconv.Itoa(int(e.Partition)) + "\x00" + strconv.FormatInt(e.Offset, 10)))
	}
	return m
}

// render is plan.Target.Render.
func (r *renderer) render(e *plan.Event) (plan.Payload, error) {
	m := r.read(e)
	p := plan.Payload{DedupID: m.DedupID}
	if m.Group != "" {
		p.Key = []byte(m.Group)
	}
	if called(r.sub.Protocol) {
		p.Key = nil
		p.Headers = notice.CallHeaders(notice.Notify, m.ID, r.topic.ARN(), r.sub.ARN(), r.sub.Raw())
		p.ContentType = r.contentType()
	}
	if r.sub.Raw() {
		p.Body = m.For(r.sub.Protocol)
		r.attributes(&p, &m)
		return p, nil
	}
	n, err := r.notification(e, &m)
	if err != nil {
		return plan.Payload{}, err
	}
	if r.sub.Protocol == notice.Lambda {
		p.Key, p.Body = nil, n.FunctionJSON(r.sub.ARN())
	} else {
		p.Body = n.JSON()
	}
	return p, nil
}

// attributes are a raw message's: those of a queue's message, headers of a record. By
// the deduplication id, which is one, readers and FIFO queues drop repeats.
func (r *renderer) attributes(p *plan.Payload, m *notice.Message) {
	switch r.sub.Protocol {
	case notice.SQS:
		p.Attributes = m.Attributes
	case notice.Kafka:
		for _, h := range (&notice.Message{Attributes: m.Attributes, DedupID: m.DedupID}).Headers() {
			p.Headers = append(p.Headers, plan.Header{Name: h.Name, Value: string(h.Value)})
		}
	}
}

// contentType is what the delivery policy says of the body's type.
func (r *renderer) contentType() string {
	d, err := notice.EffectiveDelivery(r.topic.Attributes[DeliveryPolicy], r.sub.Attributes[DeliveryPolicy])
	if err == nil && d.Request != nil && d.Request.ContentType != "" {
		return d.Request.ContentType
	}
	return textType
}

// notification is the signed notification of a message.
func (r *renderer) notification(e *plan.Event, m *notice.Message) (*notice.Notification, error) {
	n := m.NotificationOf(r.topic.ARN(), r.sub.Protocol, e.Raw.TimeMs)
	if r.topic.FIFO() {
		n.SequenceNumber = sequence(e.Offset)
	}
	n.UnsubscribeURL = r.s.base(&r.sub) + "/?" + url.Values{"Action": {"Unsubscribe"}, "SubscriptionArn": {r.sub.ARN()}}.Encode()
	return &n, r.s.sign(&n, &r.topic, &r.sub)
}

// sign signs a notification.
func (s *Service) sign(n *notice.Notification, t *Topic, sub *Subscription) error {
	n.SignatureVersion = t.SignatureVersion()
	have := s.signer.have.Load()
	if have == nil {
		return errNoKey
	}
	n.SigningCertURL = s.base(sub) + CertificatePath + have.file
	var err error
	n.Signature, err = s.signer.sign(n.SignatureVersion, n.Signed())
	return err
}

// base is how who subscribed reached the cluster.
func (s *Service) base(sub *Subscription) string {
	if sub.Base != "" {
		return sub.Base
	}
	return s.o.Base()
}

// letter is plan.Target.Letter: what the endpoint did not get.
func (r *renderer) letter(e *plan.Event) plan.Payload {
	p, err := r.render(e)
	if err != nil {
		return plan.Payload{Body: e.Raw.Value}
	}
	p.Headers = nil
	if r.sub.Protocol == notice.SQS || r.sub.Raw() {
		return p
	}
	m := r.read(e)
	if n, err := r.notification(e, &m); err == nil {
		p.Body = n.JSON() // also of what functions get
	}
	return p
}
