// SPDX-License-Identifier: MIT
// image_decoder: the pixels (H, W, channels) of a picture in a file's bytes; {0, 0, channels} when
// they are none.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "base/image.hpp"

namespace migraphx {

namespace {

enum class pixel_format { rgb, bgr, grayscale };

struct image_decoder_op {
    pixel_format format = pixel_format::rgb;

    static constexpr auto name = "image_decoder";
    static constexpr auto summary = "Pixels of a picture in a file's bytes";
    static void fields(field_list<image_decoder_op>& f) {
        f.choice("format", &image_decoder_op::format, "order of the channels",
                 {"rgb", "bgr", "grayscale"});
    }
    static std::vector<std::size_t> shape_inputs() { return {0}; }

    std::size_t channels() const { return format == pixel_format::grayscale ? 1 : 3; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor().rank(1);
        if (in[0].type() != shape::uint8_type)
            fail_shape(str("bytes were expected, got ", in[0]));
        auto dims = unknown_dims(3);
        dims[2] = {channels(), channels()};
        return {in[0].type(), dims};
    }
    static image decoded(const argument& a) {
        std::vector<std::uint8_t> bytes;
        for (auto v : load<int64_t>(a))
            bytes.push_back(static_cast<std::uint8_t>(v));
        return decode_image(bytes).value_or(image{});
    }
    shape resolve(const std::vector<argument>& in) const {
        const auto picture = decoded(in[0]);
        return {shape::uint8_type, {picture.height, picture.width, channels()}};
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        const auto picture = decoded(in[0]);
        auto out = argument::uninitialized(
            {shape::uint8_type, {picture.height, picture.width, channels()}});
        const auto* from = picture.rgb.data();
        auto* to = reinterpret_cast<std::uint8_t*>(out.data());
        for (std::size_t i = 0; i < picture.height * picture.width; ++i, from += 3) {
            if (format == pixel_format::grayscale) {
                // Luma of ITU-R 601 in 16 bits: 0.299 R + 0.587 G + 0.114 B.
                *to++ = static_cast<std::uint8_t>(
                    (from[0] * 19595u + from[1] * 38470u + from[2] * 7471u + 0x8000u) >> 16);
                continue;
            }
            for (std::size_t c = 0; c < 3; ++c)
                *to++ = from[format == pixel_format::rgb ? c : 2 - c];
        }
        return out;
    }
};

const registered_op<image_decoder_op> image_decoder_registered;

} // namespace

} // namespace migraphx
