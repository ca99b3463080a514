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

save('moving.webp', picture, 'WEBP', save_all=True, append_images=[picture.rotate(180)], lossless=True)
save('moving-alpha.webp', picture.convert('RGBA').rotate(20), 'WEBP', save_all=True, append_images=[picture.convert('RGBA')], quality=80)


def riff(*chunks):
    body = b''.join(kind + struct.pack('<I', len(data)) + data + b'\0' * (len(data) % 2) for kind, data in chunks)
    return b'RIFF' + struct.pack('<I', 4 + len(body)) + b'WEBP' + body


def u24(*numbers):
    return b''.join(struct.pack('<I', number)[:3] for number in numbers)


# A first frame that is smaller than the canvas.
files['moving-corner.webp'] = riff(
    (b'VP8X', b'\x02\0\0\0' + u24(69, 49)), (b'ANIM', b'\xff\x20\x80\xff\0\0'),
    (b'ANMF', u24(3, 2, 60, 42, 100) + b'\0' + files['lossy.webp'][12:]))


def bmp(width, height, bits, data, compression=0, palette=b'', size=40, masks=(), colours=0, offset=None):
    if size == 12:
        header = struct.pack('<IHHHH', 12, width, height, 1, bits)
    else:
        header = struct.pack('<IiiHHIIiiII', size, width, height, 1, bits, compression, len(data), 0, 0, colours, 0)
        header += struct.pack('<%dI' % len(masks), *masks) if size == 40 else (struct.pack('<%dI' % len(masks), *masks)).ljust(size - 40, b'\0')
    start = 14 + len(header) + len(palette) if offset is None else offset
    return b'BM' + struct.pack('<IHHI', 14 + len(header) + len(palette) + len(data), 0, 0, start) + header + palette + data


def rows_of(width, height, bits):
    return random.bytes((width * bits + 31) // 32 * 4 * height)


colours = lambda count, entry: random.bytes(count * entry)
save('rgb.bmp', picture, 'BMP')
save('grey.bmp', picture.convert('L'), 'BMP')
save('palette.bmp', picture.convert('P'), 'BMP')
save('bits.bmp', picture.convert('1'), 'BMP')
files['top-down.bmp'] = bmp(9, -7, 24, rows_of(9, 7, 24))
files['rgbx.bmp'] = bmp(9, 7, 32, rows_of(9, 7, 32))
files['555.bmp'] = bmp(9, 7, 16, rows_of(9, 7, 16))
files['565.bmp'] = bmp(9, 7, 16, rows_of(9, 7, 16), 3, masks=(0xf800, 0x7e0, 0x1f))
files['fields.bmp'] = bmp(9, 7, 32, rows_of(9, 7, 32), 3, size=56, masks=(0xff, 0xff00, 0xff0000, 0xff000000))
files['fields-v5.bmp'] = bmp(9, 7, 32, rows_of(9, 7, 32), 3, size=124, masks=(0xff000000, 0xff0000, 0xff00, 0xff))
files['4.bmp'] = bmp(9, 7, 4, rows_of(9, 7, 4), palette=colours(16, 4))
files['short-palette.bmp'] = bmp(9, 7, 8, rows_of(9, 7, 8), palette=colours(20, 4), colours=20)
files['os2.bmp'] = bmp(9, 7, 8, rows_of(9, 7, 8), palette=colours(256, 3), size=12)
files['os2-rgb.bmp'] = bmp(9, 7, 24, rows_of(9, 7, 24), size=12)
files['no-offset.bmp'] = bmp(9, 7, 24, rows_of(9, 7, 24), offset=0)
files['rle8.bmp'] = bmp(9, 4, 8, bytes([9, 5, 0, 0, 3, 1, 0, 5, 7, 8, 9, 10, 11, 0, 0, 0, 0, 2, 4, 1, 4, 200, 0, 0, 12, 3, 0, 1]), 1, colours(256, 4))
files['rle4.bmp'] = bmp(9, 3, 4, bytes([9, 0x5a, 0, 0, 0, 5, 0x12, 0x34, 0x50, 0, 4, 0x7f, 0, 0, 9, 0x21, 0, 1]), 2, colours(16, 4))
files['rle-short.bmp'] = bmp(9, 4, 8, bytes([9, 5, 0, 0, 3, 1, 0, 1]), 1, colours(256, 4))

save('rgb.ppm', picture, 'PPM')
save('grey.pgm', picture.convert('L'), 'PPM')
save('bits.pbm', picture.convert('1'), 'PPM')
files['comments.ppm'] = b'P6 # made\n9\t# so wide\n7 255\n' + random.bytes(9 * 7 * 3)
files['100.ppm'] = b'P6\n9 7\n100\n' + random.bytes(9 * 7 * 3)
files['16.ppm'] = b'P6\n9 7\n65535\n' + random.bytes(9 * 7 * 6)
files['1000.pgm'] = b'P5\n9 7\n1000\n' + struct.pack('>63H', *range(63))
files['16.pgm'] = b'P5\n9 7\n65535\n' + struct.pack('>63H', *range(0, 630, 10))
files['plain.ppm'] = b'P3\n3 2\n200\n' + b'0 1 2 # dark\n 3 40 50\n60 70 80 90 100 110 120 130 140 150 160 200'
files['plain.pgm'] = b'P2 3 2 7 0 1 2 3 5 7\n'
files['plain.pbm'] = b'P1\n5 3\n10110\n0 1 1 0 1\n11111\n'


def tiff(tags, data, order='<'):
    """Tags by number, each a list of 16 or 32 bits; the data behind them, from where `'data'` says."""
    entries, after = b'', b''
    start = 8 + 2 + 12 * len(tags) + 4
    sizes = {tag: 4 * len(values) for tag, values in tags.items() if len(values) > 1}
    at = start + sum(sizes.values())
    where = start
    for tag, values in sorted(tags.items()):
        values = [at + value[1] if isinstance(value, tuple) else value for value in values]
        packed = struct.pack(order + '%dI' % len(values), *values)
        if len(values) == 1:
            entries += struct.pack(order + 'HHI', tag, 4, 1) + packed
        else:
            entries += struct.pack(order + 'HHII', tag, 4, len(values), where)
            after += packed
            where += len(packed)
    mark = b'II*\0' if order == '<' else b'MM\0*'
    return mark + struct.pack(order + 'I', 8) + struct.pack(order + 'H', len(tags)) + entries + struct.pack(order + 'I', 0) + after + data


def simple(width, height, bits, photometric, more=None, order='<'):
    samples = len(bits)
    data = random.bytes((width * sum(bits) + 7) // 8 * height)
    tags = {256: [width], 257: [height], 258: bits, 259: [1], 262: [photometric], 273: [('data', 0)], 277: [samples], 278: [height], 279: [len(data)], **(more or {})}
    return tiff(tags, data, order)


save('rgb.tif', picture, 'TIFF')
save('grey.tif', picture.convert('L'), 'TIFF')
save('grey-16.tif', Image.fromarray((np.arange(43 * 61).reshape(43, 61) * 7 % 700).astype(np.uint16)), 'TIFF')
save('palette.tif', picture.convert('P'), 'TIFF')
save('bits.tif', picture.convert('1'), 'TIFF')
save('rgba.tif', picture.convert('RGBA'), 'TIFF')
save('cmyk.tif', picture.convert('CMYK'), 'TIFF')
save('lzw.tif', picture, 'TIFF', compression='tiff_lzw')
save('strips.tif', picture, 'TIFF', strip_size=61 * 3 * 10)
for orientation in range(2, 9):
    files[f'turned-{orientation}.tif'] = simple(9, 7, [8, 8, 8], 2, {274: [orientation]})
files['white.tif'] = simple(9, 7, [8], 0)
files['4-white.tif'] = simple(9, 7, [4], 0)
files['2.tif'] = simple(9, 7, [2], 1)
files['16-big.tif'] = simple(9, 7, [16], 1, order='>')
files['rgb-16.tif'] = simple(9, 7, [16, 16, 16], 2)
files['rgb-16-big.tif'] = simple(9, 7, [16, 16, 16], 2, order='>')
files['palette-4.tif'] = simple(9, 7, [4], 3, {320: list(range(0, 48 * 1300, 1300))})
files['tiles.tif'] = tiff({256: [40], 257: [20], 258: [8, 8, 8], 259: [1], 262: [2], 277: [3], 322: [16], 323: [16], 324: [('data', i * 768) for i in range(6)]}, random.bytes(6 * 768))

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
files['cut.bmp'] = files['rgb.bmp'][:-200]
files['cut.ppm'] = files['rgb.ppm'][:-1]
files['cut.tif'] = files['rgb.tif'][:-500]
files['cut-moving.webp'] = files['moving-corner.webp'][:-100]
files['huge.bmp'] = bmp(40000, 40000, 24, b'')
files['huge.ppm'] = b'P6\n40000 40000\n255\n'
files['huge.webp'] = riff((b'VP8X', b'\0\0\0\0' + u24(16383, 16383)), (b'VP8 ', files['lossy.webp'][20:]))
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
        if name == 'lzw.tif':  # is not read here
            continue
        golden[name] = {'mode': image.mode, 'size': image.size, 'sha256': hashlib.sha256(rgb.tobytes()).hexdigest()}
    except Exception as error:
        golden[name] = {'error': type(error).__name__}
with open(os.path.join(out, 'golden.json'), 'w') as file:
    json.dump(golden, file, indent=1)
    file.write('\n')
