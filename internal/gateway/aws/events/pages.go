package events

import "ottla/internal/gateway/aws/protocol"

// paged is what requests for lists have.
type paged struct {
	NextToken string `json:"NextToken"`
	Limit     *int   `json:"Limit"`
}

// page reads how long a page is and behind what it begins.
func (p *paged) page(b *broken) (most int, after string) {
	most = maxPage
	if p.Limit != nil {
		most = *p.Limit
		b.Number("limit", int64(most), 1, maxPage)
	}
	behind, ok := protocol.Behind(p.NextToken)
	if !ok {
		b.Value("nextToken", p.NextToken[:min(len(p.NextToken), 64)], "be a token that was answered")
	}
	return most, behind
}

// token is where the next page begins, "" at the end.
func token(next string) string { return protocol.Token(next) }
