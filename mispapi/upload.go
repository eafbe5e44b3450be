package mispapi

import (
	"io"
	"net/http"

	"tocsin"
	"tocsin/misp"
	"tocsin/stix"
)

// uploadSTIX adds an event of a package of STIX 1.x in XML, or of a bundle of
// STIX 2 where the path says 2. What an event can't hold is named beside it.
func uploadSTIX(c *call) error {
	read, err := c.reader(c.arg(0))
	if err != nil {
		return err
	}
	e, err := read(c.r.Body)
	if err != nil {
		if syntax, ok := err.(*tocsin.Error); ok {
			return c.because(http.StatusMethodNotAllowed, tocsin.Invalid, "Could not read the STIX document.", syntax.Message)
		}
		return err
	}
	return c.takeEvent(c.drafter(), e)
}

func (c *call) reader(version string) (func(io.Reader) (*misp.Event, error), error) {
	switch version {
	case "", "1":
		return stix.Read1, nil
	case "2":
		return stix.Read, nil
	}
	return nil, c.no(http.StatusNotFound, tocsin.NotFound, "There is no STIX "+version+" to upload; it is 1 or 2.")
}

// takeEvent adds an event that came in another form than MISP's.
func (c *call) takeEvent(d *drafter, e *misp.Event) error {
	for _, p := range e.Problems {
		if len(d.dropped) < maxErrors {
			d.drop(p.Where, p.Field+" is not "+p.Want)
		}
	}
	e.Problems = nil
	for i := range e.Attributes {
		if err := d.each(&e.Attributes[i]); err != nil {
			return err
		}
	}
	return c.addDrafted(d, e)
}
