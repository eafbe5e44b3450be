package blob

import (
	"bytes"
	"image"
	"image/color"
	_ "image/gif" // the formats that are read
	_ "image/jpeg"
	"image/png"
	"sync"

	"tocsin"
)

// maxPixels is how large a picture may be that is looked into.
const maxPixels = 16 << 20

// looking is held by who looks into a picture: one at a time takes memory enough.
var looking sync.Mutex

// Picture makes a PNG of a picture (PNG, JPEG, GIF) that fits into a square: what comes
// out is ours, pixel by pixel, whatever else the file holds.
func Picture(content []byte, side int) ([]byte, error) {
	c, _, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, tocsin.Errorf(tocsin.Invalid, "it is no picture that can be shown: PNG, JPEG and GIF are")
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > maxPixels/c.Height {
		return nil, tocsin.Errorf(tocsin.Invalid, "the picture is too large to be shown: %d by %d pixels", c.Width, c.Height)
	}
	looking.Lock()
	defer looking.Unlock()
	p, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, tocsin.Errorf(tocsin.Invalid, "the picture is damaged")
	}
	var out bytes.Buffer
	err = png.Encode(&out, shrunk(p, side))
	return out.Bytes(), err
}

// shrunk is a picture made to fit into a square, each pixel the mean of a few that it
// stands for.
func shrunk(p image.Image, side int) image.Image {
	b := p.Bounds()
	w, h := b.Dx(), b.Dy()
	if most := max(w, h); most > side {
		w, h = max(1, w*side/most), max(1, h*side/most)
	}
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			out.Set(x, y, mean(p, b.Min.X+x*b.Dx()/w, b.Min.Y+y*b.Dy()/h, max(1, b.Dx()/w), max(1, b.Dy()/h)))
		}
	}
	return out
}

// mean is the colour of a rectangle, by at most four samples a side.
func mean(p image.Image, x0, y0, w, h int) color.Color {
	var r, g, b, a, n uint32
	for dy := 0; dy < h; dy += max(1, h/4) {
		for dx := 0; dx < w; dx += max(1, w/4) {
			cr, cg, cb, ca := p.At(x0+dx, y0+dy).RGBA()
			r, g, b, a, n = r+cr, g+cg, b+cb, a+ca, n+1
		}
	}
	return color.RGBA64{uint16(r / n), uint16(g / n), uint16(b / n), uint16(a / n)}
}
