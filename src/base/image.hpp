// SPDX-License-Identifier: MIT
// Pictures from files: BMP and the portable formats (PBM, PGM, PPM, PAM) here, JPEG, PNG, TIFF,
// WebP and JPEG 2000 by the system's libraries, which are loaded when a file needs them.
#ifndef MIGRAPHX_GUARD_BASE_IMAGE_HPP
#define MIGRAPHX_GUARD_BASE_IMAGE_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace migraphx {

using image_bytes = std::span<const std::uint8_t>;

struct image {
    std::size_t height = 0;
    std::size_t width = 0;
    std::vector<std::uint8_t> rgb; // rows from the top, 3 bytes a pixel
};

// nullopt when the bytes are of no known format, damaged, or of more than 2^27 pixels. Throws
// unsupported when the library for the format is not there.
std::optional<image> decode_image(image_bytes file);

// The parts of decode_image, by format.
std::optional<image> decode_bmp(image_bytes file);
std::optional<image> decode_pnm(image_bytes file);
std::optional<image> decode_jpeg(image_bytes file);
std::optional<image> decode_png(image_bytes file);
std::optional<image> decode_tiff(image_bytes file);
std::optional<image> decode_webp(image_bytes file);
std::optional<image> decode_jpeg2000(image_bytes file);

// Black, of this size; nullopt when a side is 0 or there are too many pixels.
std::optional<image> blank_image(std::uint64_t width, std::uint64_t height);

} // namespace migraphx
#endif
