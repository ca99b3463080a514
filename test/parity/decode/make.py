"""Writes test/fixtures/decode: image files as folders in the wild hold them, and what PIL makes of each (`Image.open(file).convert('RGB')`).

    python make.py ../../fixtures/decode      # Python with Pillow and NumPy; made with Pillow 13.0.0, libjpeg-turbo 3.2.0

golden.json: by name of the file its size [width, height], PIL's mode and the SHA-256 of the bytes [H, W, 3], or PIL's error.
"""
import hashlib
import io
import json
import os
import struct
import sys
import zlib

import numpy as np
from PIL import Image

out = sys.argv[1]
rows, columns = np.mgrid[0:43, 0:61]
waves = [127 + 90 * np.sin(columns / 5 + rows / 9), 4 * columns + rows % 7 * 3, 128 + 100 * np.cos(columns * rows / 60)]
picture = Image.fromarray(np.stack(waves, -1).clip(0, 255).astype(np.uint8))
random = np.random.RandomState(0)
files = {}


def save(name, image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    files[name] = buffer.getvalue()


def png(width, height, depth, colour, raw, interlace=0):
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    header = struct.pack('>IIBBBBB', width, height, depth, colour, 0, 0, interlace)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(raw)) + chunk(b'IEND', b'')


def noise(width, height, bits):
    """Lines of random bytes, with every filter."""
    return b''.join(bytes([row % 5]) + random.bytes((width * bits + 7) // 8) for row in range(height))


def adam7(width, height, bits):
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    sizes = [(-(-(width - x) // dx), -(-(height - y) // dy)) for x, y, dx, dy in passes]
    return b''.join(noise(w, h, bits) for w, h in sizes if w > 0 and h > 0)


def changed(name, at, to):
    data = bytearray(files[name])
    at %= len(data)
    data[at:at + len(to)] = to
    return bytes(data)


save('rgb.jpg', picture, 'JPEG', quality=90)
save('420.jpg', picture, 'JPEG', quality=75, subsampling=2)
save('422.jpg', picture, 'JPEG', quality=75, subsampling=1)
save('progressive.jpg', picture, 'JPEG', progressive=True)
save('grey.jpg', picture.convert('L'), 'JPEG')
save('cmyk.jpg', picture.convert('CMYK'), 'JPEG', quality=90)
files['ycck.jpg'] = changed('cmyk.jpg', files['cmyk.jpg'].find(b'Adobe') + 11, b'\x02')
exif = Image.Exif()
exif[0x0112] = 6
save('exif-rotated.jpg', picture, 'JPEG', exif=exif)
files['exif-damaged.jpg'] = changed('exif-rotated.jpg', files['exif-rotated.jpg'].find(b'Exif') + 6, b'\xff' * 8)
files['trailing.jpg'] = files['rgb.jpg'] + b'\0' * 50
files['corrupt.jpg'] = changed('rgb.jpg', -300, b'\x55' * 10)

save('rgb.png', picture, 'PNG')
save('png.JPEG', picture, 'PNG')
save('grey.png', picture.convert('L'), 'PNG')
save('grey-alpha.png', picture.convert('LA'), 'PNG')
save('rgba.png', picture.convert('RGBA'), 'PNG')
save('palette.png', picture.convert('P'), 'PNG')
save('palette-13.png', picture.quantize(13), 'PNG', bits=4)
save('palette-4.png', picture.quantize(4), 'PNG')
save('palette-transparent.png', picture.quantize(20), 'PNG', transparency=3)
save('bits.png', picture.convert('1'), 'PNG')
save('grey-16.png', Image.fromarray((np.arange(43 * 61).reshape(43, 61) * 25 % 65536).astype(np.uint16)), 'PNG')
files['rgb-16.png'] = png(9, 7, 16, 2, noise(9, 7, 48))
files['rgba-16.png'] = png(9, 7, 16, 6, noise(9, 7, 64))
files['grey-alpha-16.png'] = png(9, 7, 16, 4, noise(9, 7, 32))
files['grey-2.png'] = png(9, 7, 2, 0, noise(9, 7, 2))
files['grey-4.png'] = png(9, 7, 4, 0, noise(9, 7, 4))
for width, height in ((11, 13), (1, 1), (3, 2)):
    files[f'interlaced-{width}x{height}.png'] = png(width, height, 8, 2, adam7(width, height, 24), 1)
files['interlaced-bits.png'] = png(21, 13, 1, 0, adam7(21, 13, 1), 1)
files['without-end.png'] = files['rgb.png'][:-12]

save('picture.gif', picture, 'GIF')
save('interlaced.gif', picture.quantize(200), 'GIF', interlace=1)
save('transparent.gif', picture.quantize(20), 'GIF', transparency=3)
save('lossy.webp', picture, 'WEBP')
save('lossless.webp', picture.convert('RGBA'), 'WEBP', lossless=True)

files['without-end.jpg'] = files['rgb.jpg'][:-2]
files['half.jpg'] = files['rgb.jpg'][:len(files['rgb.jpg']) // 2]
files['header.jpg'] = files['rgb.jpg'][:300]
files['unknown-marker.jpg'] = changed('rgb.jpg', -200, b'\xff\x37')
files['empty.jpg'] = b''
files['text.jpg'] = b'no image at all\n'
files['cut.png'] = files['rgb.png'][:-60]
files['checksum.png'] = changed('rgb.png', 20, bytes([files['rgb.png'][20] ^ 1]))
files['cut.gif'] = files['picture.gif'][:-300]
files['cut.webp'] = files['lossy.webp'][:-100]
files['huge.png'] = png(40000, 40000, 8, 2, b'')

golden = {}
for name, data in files.items():
    with open(os.path.join(out, name), 'wb') as file:
        file.write(data)
    try:
        image = Image.open(io.BytesIO(data))
        rgb = np.asarray(image.convert('RGB'))
        if name == 'corrupt.jpg':  # is decoded, to what depends on the version of libjpeg-turbo and the processor
            continue
        golden[name] = {'mode': image.mode, 'size': image.size, 'sha256': hashlib.sha256(rgb.tobytes()).hexdigest()}
    except Exception as error:
        golden[name] = {'error': type(error).__name__}
with open(os.path.join(out, 'golden.json'), 'w') as file:
    json.dump(golden, file, indent=1)
    file.write('\n')
