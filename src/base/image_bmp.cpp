// SPDX-License-Identifier: MIT
// BMP: 1, 4 and 8 bits with a palette (run-length coded too), 16, 24 and 32 bits, from the bottom
// or the top.
#include "base/image.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace migraphx {

namespace {

class bmp_reader {
public:
    explicit bmp_reader(image_bytes bytes) : file(bytes) {}

    std::optional<image> read() {
        if (file.size() < 26 or not read_header())
            return std::nullopt;
        // Run-length codes may hold many pixels in a few bytes; others need their rows.
        const auto row_bytes = (std::uint64_t(width) * bits + 31) / 32 * 4;
        if (pixels > file.size() or (not coded() and row_bytes * height > file.size() - pixels))
            return std::nullopt;
        auto result = blank_image(width, height);
        if (not result)
            return std::nullopt;
        out = &*result;
        if (coded())
            read_codes();
        else
            for (std::uint32_t y = 0; y < height; ++y)
                read_row(y, pixels + std::size_t(row_bytes) * y);
        return result;
    }

private:
    std::uint32_t number(std::size_t at, std::size_t bytes) const {
        std::uint32_t v = 0;
        for (std::size_t i = 0; i < bytes and at + i < file.size(); ++i)
            v |= std::uint32_t(file[at + i]) << (8 * i);
        return v;
    }
    bool coded() const { return compression == 1 or compression == 2; }

    bool read_header() {
        pixels = number(10, 4);
        const auto size = number(14, 4);
        std::size_t entry = 4;
        std::uint32_t colours = 0;
        if (size == 12) {
            width = number(18, 2);
            height = number(20, 2);
            bits = number(24, 2);
            entry = 3;
        } else if (size >= 40 and file.size() >= 54) {
            width = number(18, 4);
            const auto signed_height = static_cast<std::int32_t>(number(22, 4));
            from_top = signed_height < 0;
            height = from_top ? 0u - static_cast<std::uint32_t>(signed_height)
                              : static_cast<std::uint32_t>(signed_height);
            bits = number(28, 2);
            compression = number(30, 4);
            colours = number(46, 4);
        } else
            return false;
        const bool known =
            bits == 1 or bits == 4 or bits == 8 or bits == 16 or bits == 24 or bits == 32;
        if (not known or compression > 3 or (compression == 1 and bits != 8) or
            (compression == 2 and bits != 4) or (compression == 3 and bits != 16 and bits != 32))
            return false;
        if (bits <= 8) {
            const auto most = 1u << bits;
            const auto count = colours == 0 ? most : std::min(colours, most);
            for (std::uint32_t i = 0; i < count; ++i)
                for (std::size_t c = 0; c < 3; ++c)
                    palette[i][c] =
                        static_cast<std::uint8_t>(number(14 + size + i * entry + 2 - c, 1));
        }
        if (bits == 16)
            masks = {0x7c00, 0x3e0, 0x1f};
        if (compression == 3)
            for (std::size_t c = 0; c < 3; ++c)
                masks[c] = number(54 + 4 * c, 4);
        return true;
    }
    std::uint8_t* pixel(std::size_t x, std::size_t y) const {
        const auto row = from_top ? y : height - 1 - y;
        return out->rgb.data() + (row * width + x) * 3;
    }
    void set_index(std::size_t x, std::size_t y, std::uint32_t index) const {
        if (x < width and y < height)
            std::copy(palette[index].begin(), palette[index].end(), pixel(x, y));
    }
    static std::uint8_t masked(std::uint32_t v, std::uint32_t mask) {
        if (mask == 0)
            return 0;
        const auto shift = std::countr_zero(mask);
        const auto most = std::uint64_t(mask >> shift);
        return static_cast<std::uint8_t>((std::uint64_t((v & mask) >> shift) * 255 + most / 2) /
                                         most);
    }
    void read_row(std::size_t y, std::size_t at) const {
        for (std::size_t x = 0; x < width; ++x) {
            if (bits <= 8) {
                const auto byte = number(at + x * bits / 8, 1);
                const auto shift = 8 - bits - x * bits % 8;
                set_index(x, y, byte >> shift & ((1u << bits) - 1));
                continue;
            }
            const auto v = number(at + x * bits / 8, bits / 8);
            for (std::size_t c = 0; c < 3; ++c)
                pixel(x, y)[c] = masked(v, masks[c]);
        }
    }
    // Pairs (count, indices), or 0 and: 0 the row's end, 1 the end, 2 a move, n so many indices as
    // they are.
    void read_codes() const {
        std::size_t x = 0, y = 0, at = pixels;
        const auto index = [&](std::size_t byte, std::size_t i) {
            const auto v = number(byte + i * bits / 8, 1);
            return bits == 8 ? v : i % 2 == 0 ? v >> 4 : v & 15;
        };
        while (at + 1 < file.size() and y < height) {
            const auto count = file[at], value = file[at + 1];
            at += 2;
            if (count > 0) {
                for (std::size_t i = 0; i < count; ++i)
                    set_index(x++, y, bits == 8 ? value : i % 2 == 0 ? value >> 4 : value & 15);
            } else if (value == 0) {
                x = 0;
                ++y;
            } else if (value == 1)
                return;
            else if (value == 2) {
                x += number(at, 1);
                y += number(at + 1, 1);
                at += 2;
            } else {
                for (std::size_t i = 0; i < value; ++i)
                    set_index(x++, y, index(at, i));
                at += (value * bits / 8 + (value * bits % 8 != 0 ? 1 : 0) + 1) / 2 * 2;
            }
        }
    }

    image_bytes file;
    image* out = nullptr;
    std::size_t pixels = 0;
    std::uint32_t width = 0, height = 0, bits = 0, compression = 0;
    bool from_top = false;
    std::array<std::array<std::uint8_t, 3>, 256> palette{};
    std::array<std::uint32_t, 3> masks{0xff0000, 0xff00, 0xff};
};

} // namespace

std::optional<image> decode_bmp(image_bytes file) {
    return bmp_reader(file).read();
}

} // namespace migraphx
