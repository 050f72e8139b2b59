package events

import "encoding/base64"

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
	behind, err := base64.RawURLEncoding.DecodeString(p.NextToken)
	if err != nil || len(p.NextToken) > 2048 {
		b.Value("nextToken", p.NextToken[:min(len(p.NextToken), 64)], "be a token that was answered")
	}
	return most, string(behind)
}

// token is where the next page begins, "" at the end.
func token(next string) string { return base64.RawURLEncoding.EncodeToString([]byte(next)) }
