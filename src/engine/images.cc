// What the loading of images spends its time on, for every thread of a process: JPEG by the library that TensorFlow decodes with, the two
// passes of a resize, flips, and changes of colours. Compiled into the engine's binding (`binding.ts` in src/setup). Each function gives the bytes of its counterpart
// in TypeScript (`decode/jpeg.ts`, `resize.ts`, `augment.ts` and `color-jitter.ts` in src/tinymim/data), which stands in where there is no binding.
#undef TFE_Execute
#undef TFE_NewTensorHandle
#undef TFE_TensorHandleResolve

#include <node_api.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"
#include "tensorflow/c/tf_tstring.h"

// Of functions.cc: null until the process has an engine.
TFE_Context* EngineContext();

namespace {

struct Bytes {
  uint8_t* data = nullptr;
  size_t length = 0;
};

// Of a typed array: elements of `T`.
template <typename T>
T* Elements(napi_env env, napi_value value, size_t* length = nullptr) {
  void* data = nullptr;
  napi_get_typedarray_info(env, value, nullptr, length, &data, nullptr, nullptr);
  return static_cast<T*>(data);
}

Bytes BytesOf(napi_env env, napi_value value) {
  Bytes bytes;
  bytes.data = Elements<uint8_t>(env, value, &bytes.length);
  return bytes;
}

int32_t Integer(napi_env env, napi_value value) {
  int32_t integer = 0;
  napi_get_value_int32(env, value, &integer);
  return integer;
}

// --- JPEG ---

TFE_TensorHandle* TextHandle(const Bytes& text, TF_Status* status) {
  TF_Tensor* tensor = TF_AllocateTensor(TF_STRING, nullptr, 0, sizeof(TF_TString));
  TF_TString* element = static_cast<TF_TString*>(TF_TensorData(tensor));
  TF_TString_Init(element);
  TF_TString_AssignView(element, reinterpret_cast<const char*>(text.data), text.length);  // no copy: used before JavaScript goes on
  TFE_TensorHandle* handle = TFE_NewTensorHandle(tensor, status);
  TF_DeleteTensor(tensor);
  return handle;
}

// `[H, W, 3]` of uint8, or null: what TensorFlow refuses is left to the caller.
TF_Tensor* Decode(TFE_Context* context, const Bytes& file, TF_Status* status) {
  TFE_Op* op = TFE_NewOp(context, "DecodeJpeg", status);
  TFE_OpSetDevice(op, "/job:localhost/replica:0/task:0/device:CPU:0", status);
  TFE_OpSetAttrInt(op, "channels", 3);
  TFE_OpSetAttrInt(op, "ratio", 1);
  TFE_OpSetAttrBool(op, "fancy_upscaling", 1);
  TFE_OpSetAttrBool(op, "try_recover_truncated", 0);
  TFE_OpSetAttrFloat(op, "acceptable_fraction", 1);
  TFE_OpSetAttrString(op, "dct_method", "INTEGER_ACCURATE", 16);
  TFE_TensorHandle* input = TextHandle(file, status);
  TFE_OpAddInput(op, input, status);
  TFE_TensorHandle* output = nullptr;
  int count = 1;
  TFE_Execute(op, &output, &count, status);
  TFE_DeleteTensorHandle(input);
  TFE_DeleteOp(op);
  if (TF_GetCode(status) != TF_OK) return nullptr;
  TF_Tensor* pixels = TFE_TensorHandleResolve(output, status);
  TFE_DeleteTensorHandle(output);
  return pixels;
}

// decodeJpeg(file, pixels): fills `pixels` with what the file holds, of which it has the size. Returns whether it did: not without an engine,
// and not where TensorFlow refuses the file, or takes it for one of another size.
napi_value DecodeJpeg(napi_env env, napi_callback_info info) {
  napi_value args[2];
  size_t given = 2;
  napi_get_cb_info(env, info, &given, args, nullptr, nullptr);
  const Bytes file = BytesOf(env, args[0]), target = BytesOf(env, args[1]);
  bool decoded = false;
  if (TFE_Context* context = EngineContext()) {
    TF_Status* status = TF_NewStatus();
    if (TF_Tensor* pixels = Decode(context, file, status)) {
      decoded = TF_TensorByteSize(pixels) == target.length;
      if (decoded) std::memcpy(target.data, TF_TensorData(pixels), target.length);
      TF_DeleteTensor(pixels);
    }
    TF_DeleteStatus(status);
  }
  napi_value answer;
  napi_get_boolean(env, decoded, &answer);
  return answer;
}

// --- Resize ---

// Weights of a pass, as `resize.ts` computes them: output i is the weighted sum of the `count[i]` inputs from `start[i]`.
struct Pass {
  const int32_t* start;
  const int32_t* count;
  const int32_t* weights;
  int32_t stride;
};

constexpr int kPrecisionBits = 32 - 8 - 2;
constexpr int32_t kHalf = 1 << (kPrecisionBits - 1);
constexpr int kChannels = 3;

// Sums stay below 2^31; see `resize.ts`.
inline uint8_t Rounded(int32_t sum) {
  sum >>= kPrecisionBits;
  return sum < 0 ? 0 : sum > 255 ? 255 : static_cast<uint8_t>(sum);
}

// `rows` of pixels of three bytes, `stride` bytes apart, to rows of `columns` pixels one after the other.
void Horizontal(const uint8_t* from, size_t stride, const Pass& pass, uint8_t* to, int rows, int columns) {
  for (int y = 0; y < rows; y++, from += stride) {
    for (int x = 0; x < columns; x++) {
      const int32_t* weights = pass.weights + static_cast<size_t>(x) * pass.stride;
      const uint8_t* first = from + pass.start[x] * kChannels;
      for (int c = 0; c < kChannels; c++, first++) {
        int32_t sum = kHalf;
        for (int k = 0; k < pass.count[x]; k++) sum += first[k * kChannels] * weights[k];
        *to++ = Rounded(sum);
      }
    }
  }
}

// Columns `begin` to `end` of rows of `row` bytes, to as many of `rows`.
void Vertical(const uint8_t* from, size_t row, const Pass& pass, uint8_t* to, int rows, size_t begin, size_t end) {
  for (int y = 0; y < rows; y++, to += row) {
    const uint8_t* first = from + static_cast<size_t>(pass.start[y]) * row;
    const int32_t* weights = pass.weights + static_cast<size_t>(y) * pass.stride;
    for (size_t x = begin; x < end; x++) {
      int32_t sum = kHalf;
      for (int k = 0; k < pass.count[y]; k++) sum += first[x + k * row] * weights[k];
      to[x] = Rounded(sum);
    }
  }
}

#if defined(__x86_64__)

#define AVX2 __attribute__((target("avx2")))

const bool has_avx2 = __builtin_cpu_supports("avx2");

// Bits of the lower part of a weight: both parts fit 16 bits with a sign, of which an instruction multiplies pairs and adds them up.
constexpr int kLowBits = 11;

// Weights in pairs, two of 16 bits in each element; of an odd number the last is paired with 0.
struct Pairs {
  std::vector<int32_t> low, high;
  int stride;

  Pairs(const Pass& pass, int outputs) : stride((pass.stride + 1) / 2) {
    low.resize(static_cast<size_t>(outputs) * stride);
    high.resize(low.size());
    for (int i = 0; i < outputs; i++) {
      const int32_t* weights = pass.weights + static_cast<size_t>(i) * pass.stride;
      for (int k = 0; k < pass.count[i]; k += 2) {
        const int32_t first = weights[k], second = k + 1 < pass.count[i] ? weights[k + 1] : 0;
        const size_t at = static_cast<size_t>(i) * stride + k / 2;
        low[at] = (first & kLowMask) | (second & kLowMask) << 16;
        high[at] = ((first >> kLowBits) & 0xffff) | static_cast<int32_t>(static_cast<uint32_t>(second >> kLowBits) << 16);
      }
    }
  }

 private:
  static constexpr int32_t kLowMask = (1 << kLowBits) - 1;
};

// Sums of both parts of weights, eight of them.
struct Sums {
  __m256i low, high;
};

AVX2 inline Sums NoSums() { return {_mm256_set1_epi32(kHalf), _mm256_setzero_si256()}; }

// @param pixels pairs of 16 bits
AVX2 inline void Add(Sums& sums, __m256i pixels, int32_t low, int32_t high) {
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(pixels, _mm256_set1_epi32(low)));
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(pixels, _mm256_set1_epi32(high)));
}

// Not yet cut off below 0 and above 255.
AVX2 inline __m256i Shifted(const Sums& sums) { return _mm256_srai_epi32(_mm256_add_epi32(sums.low, _mm256_slli_epi32(sums.high, kLowBits)), kPrecisionBits); }

AVX2 inline __m128i EightBytes(const uint8_t* from) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)); }

// Bytes read at once; some may lie behind the row.
constexpr int kReadAhead = 8;

// One pixel of two rows.
AVX2 inline void HorizontalPixels(const uint8_t* upper, const uint8_t* lower, const int32_t* low, const int32_t* high, int pairs, uint32_t (&pixels)[2]) {
  // Of two pixels the channels side by side, each widened to 16 bits.
  const __m256i side_by_side = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
  Sums sums = NoSums();
  for (int k = 0; k < pairs; k++, upper += 2 * kChannels, lower += 2 * kChannels) {
    const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(EightBytes(upper)), EightBytes(lower), 1);
    Add(sums, _mm256_shuffle_epi8(both, side_by_side), low[k], high[k]);
  }
  const __m256i words = _mm256_packs_epi32(Shifted(sums), Shifted(sums)), bytes = _mm256_packus_epi16(words, words);
  pixels[0] = static_cast<uint32_t>(_mm_cvtsi128_si32(_mm256_castsi256_si128(bytes)));
  pixels[1] = static_cast<uint32_t>(_mm_cvtsi128_si32(_mm256_extracti128_si256(bytes, 1)));
}

AVX2 void HorizontalRows(const uint8_t* upper, const uint8_t* lower, const Pass& pass, const Pairs& weights, uint8_t* upper_to, uint8_t* lower_to, int columns) {
  for (int x = 0; x < columns; x++) {
    const size_t at = static_cast<size_t>(x) * weights.stride;
    uint32_t pixels[2];
    HorizontalPixels(upper + pass.start[x] * kChannels, lower + pass.start[x] * kChannels, &weights.low[at], &weights.high[at], (pass.count[x] + 1) / 2, pixels);
    std::memcpy(upper_to + x * kChannels, &pixels[0], kChannels);
    std::memcpy(lower_to + x * kChannels, &pixels[1], kChannels);
  }
}

AVX2 void HorizontalAvx2(const uint8_t* from, size_t stride, const Pass& pass, uint8_t* to, int rows, int columns) {
  const Pairs weights(pass, columns);
  const size_t row = static_cast<size_t>(columns) * kChannels;
  int y = 0;
  for (; y + 2 < rows; y += 2) HorizontalRows(from + y * stride, from + (y + 1) * stride, pass, weights, to + y * row, to + (y + 1) * row, columns);
  // Nothing may follow the last rows, so they are read from a copy with room behind them.
  const size_t bytes = static_cast<size_t>(pass.start[columns - 1] + pass.count[columns - 1]) * kChannels;
  const int last = rows - 1;
  std::vector<uint8_t> upper(bytes + kReadAhead), lower(bytes + kReadAhead);
  std::memcpy(upper.data(), from + y * stride, bytes);
  std::memcpy(lower.data(), from + last * stride, bytes);
  HorizontalRows(upper.data(), lower.data(), pass, weights, to + y * row, to + last * row, columns);
}

constexpr size_t kBlock = 16;

// A block of columns of one row of the result.
AVX2 inline void VerticalBlock(const uint8_t* from, size_t row, const int32_t* low, const int32_t* high, int count, uint8_t* to) {
  Sums left = NoSums(), right = NoSums();
  for (int k = 0; k < count; k += 2, from += 2 * row) {
    const __m128i upper = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    const __m128i lower = k + 1 < count ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + row)) : upper;  // of weight 0
    Add(left, _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(upper, lower)), low[k / 2], high[k / 2]);
    Add(right, _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(upper, lower)), low[k / 2], high[k / 2]);
  }
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(Shifted(left), Shifted(right)), 0xd8);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
}

AVX2 void VerticalAvx2(const uint8_t* from, size_t row, const Pass& pass, uint8_t* to, int rows) {
  const Pairs weights(pass, rows);
  const size_t end = row / kBlock * kBlock;
  for (int y = 0; y < rows; y++) {
    const size_t at = static_cast<size_t>(y) * weights.stride;
    for (size_t x = 0; x < end; x += kBlock) VerticalBlock(from + static_cast<size_t>(pass.start[y]) * row + x, row, &weights.low[at], &weights.high[at], pass.count[y], to + y * row + x);
  }
  Vertical(from, row, pass, to, rows, end, row);
}

#endif

struct PassCall {
  const uint8_t* source;
  int64_t from, stride;
  Pass pass;
  uint8_t* to;
  int rows, columns;
};

PassCall PassArguments(napi_env env, napi_callback_info info) {
  napi_value args[11];
  size_t count = 11;
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  const Pass pass = {Elements<int32_t>(env, args[3]), Elements<int32_t>(env, args[4]), Elements<int32_t>(env, args[5]), Integer(env, args[6])};
  return {Elements<uint8_t>(env, args[0]), Integer(env, args[1]), Integer(env, args[2]), pass, Elements<uint8_t>(env, args[7]) + Integer(env, args[8]), Integer(env, args[9]), Integer(env, args[10])};
}

// resizeRows(source, from, stride, start, count, weights, taps, target, to, rows, columns)
napi_value ResizeRows(napi_env env, napi_callback_info info) {
  const PassCall call = PassArguments(env, info);
  const uint8_t* from = call.source + call.from;
#if defined(__x86_64__)
  if (has_avx2 && call.stride >= kReadAhead) {
    HorizontalAvx2(from, call.stride, call.pass, call.to, call.rows, call.columns);
    return nullptr;
  }
#endif
  Horizontal(from, call.stride, call.pass, call.to, call.rows, call.columns);
  return nullptr;
}

// resizeColumns(source, from, row, start, count, weights, taps, target, to, rows, row); `from` may lie before the source, as long as no weight does
napi_value ResizeColumns(napi_env env, napi_callback_info info) {
  const PassCall call = PassArguments(env, info);
  const uint8_t* from = call.source + call.from;
#if defined(__x86_64__)
  if (has_avx2) {
    VerticalAvx2(from, call.stride, call.pass, call.to, call.rows);
    return nullptr;
  }
#endif
  Vertical(from, call.stride, call.pass, call.to, call.rows, 0, call.stride);
  return nullptr;
}

// --- Colours and flips, in place ---

// The arguments of each function begin so: data, offset, pixels of three bytes.
struct Image {
  uint8_t* data;
  size_t pixels;
  napi_value more[2];
};

Image ImageArguments(napi_env env, napi_callback_info info) {
  napi_value args[5];
  size_t count = 5;
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  return {Elements<uint8_t>(env, args[0]) + Integer(env, args[1]), static_cast<size_t>(Integer(env, args[2])), {args[3], args[4]}};
}

// flipPixels(data, offset, pixels, columns): mirrors each row
napi_value FlipPixels(napi_env env, napi_callback_info info) {
  struct Pixel {
    uint8_t channels[kChannels];
  };
  const Image image = ImageArguments(env, info);
  const size_t columns = Integer(env, image.more[0]);
  Pixel* pixels = reinterpret_cast<Pixel*>(image.data);
  for (size_t from = 0; from + columns <= image.pixels; from += columns) std::reverse(pixels + from, pixels + from + columns);
  return nullptr;
}

// replaceLevels(data, offset, pixels, table): by those of a table of 256
napi_value ReplaceLevels(napi_env env, napi_callback_info info) {
  const Image image = ImageArguments(env, info);
  const uint8_t* table = Elements<uint8_t>(env, image.more[0]);
  for (size_t i = 0; i < image.pixels * kChannels; i++) image.data[i] = table[image.data[i]];
  return nullptr;
}

inline int Luma(const uint8_t* pixel) { return (19595 * pixel[0] + 38470 * pixel[1] + 7471 * pixel[2] + 32768) >> 16; }

// sumLuma(data, offset, pixels)
napi_value SumLuma(napi_env env, napi_callback_info info) {
  const Image image = ImageArguments(env, info);
  int64_t sum = 0;
  for (size_t i = 0; i < image.pixels; i++) sum += Luma(image.data + i * kChannels);
  napi_value answer;
  napi_create_int64(env, sum, &answer);
  return answer;
}

// blendWithLuma(data, offset, pixels, factor): in float32, without multiplying and adding in one (-ffp-contract=off)
napi_value BlendWithLuma(napi_env env, napi_callback_info info) {
  const Image image = ImageArguments(env, info);
  double given = 0;
  napi_get_value_double(env, image.more[0], &given);
  const float factor = static_cast<float>(given);
  for (uint8_t *pixel = image.data, *end = image.data + image.pixels * kChannels; pixel < end; pixel += kChannels) {
    const int grey = Luma(pixel);
    for (int c = 0; c < kChannels; c++) {
      const float scaled = factor * static_cast<float>(pixel[c] - grey), value = static_cast<float>(grey) + scaled;
      pixel[c] = value <= 0 ? 0 : value >= 255 ? 255 : static_cast<uint8_t>(value);
    }
  }
  return nullptr;
}

}  // namespace

void AddImageFunctions(napi_env env, napi_value exports) {
  const struct {
    const char* name;
    napi_callback function;
  } additions[] = {{"decodeJpeg", DecodeJpeg}, {"resizeRows", ResizeRows}, {"resizeColumns", ResizeColumns}, {"flipPixels", FlipPixels}, {"replaceLevels", ReplaceLevels}, {"sumLuma", SumLuma}, {"blendWithLuma", BlendWithLuma}};
  for (const auto& addition : additions) {
    napi_value function;
    napi_create_function(env, addition.name, NAPI_AUTO_LENGTH, addition.function, nullptr, &function);
    napi_set_named_property(env, exports, addition.name, function);
  }
}
