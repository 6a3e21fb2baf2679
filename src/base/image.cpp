// SPDX-License-Identifier: MIT
#include "base/image.hpp"

#include <algorithm>
#include <string_view>

namespace migraphx {

namespace {

constexpr std::uint64_t most_pixels = std::uint64_t{1} << 27;

bool begins(image_bytes file, std::string_view magic, std::size_t at = 0) {
    return file.size() >= at + magic.size() and
           std::equal(magic.begin(), magic.end(), file.begin() + std::ptrdiff_t(at),
                      [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

} // namespace

std::optional<image> blank_image(std::uint64_t width, std::uint64_t height) {
    if (width == 0 or height == 0 or width > most_pixels or height > most_pixels / width)
        return std::nullopt;
    image result;
    result.width = std::size_t(width);
    result.height = std::size_t(height);
    result.rgb.resize(result.width * result.height * 3);
    return result;
}

std::optional<image> decode_image(image_bytes file) {
    using namespace std::string_view_literals;
    if (begins(file, "BM"))
        return decode_bmp(file);
    if (begins(file, "\xff\xd8\xff"))
        return decode_jpeg(file);
    if (begins(file, "\x89PNG\r\n\x1a\n"))
        return decode_png(file);
    if (begins(file, "II*\0"sv) or begins(file, "MM\0*"sv) or begins(file, "II+\0"sv) or
        begins(file, "MM\0+"sv))
        return decode_tiff(file);
    if (begins(file, "RIFF") and begins(file, "WEBP", 8))
        return decode_webp(file);
    if (begins(file, "\0\0\0\x0cjP  "sv) or begins(file, "\xff\x4f\xff\x51"))
        return decode_jpeg2000(file);
    if (file.size() > 2 and file[0] == 'P' and file[1] >= '1' and file[1] <= '7')
        return decode_pnm(file);
    return std::nullopt;
}

} // namespace migraphx
