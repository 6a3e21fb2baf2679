// SPDX-License-Identifier: MIT
// The portable formats: P1 to P3 as text, P4 to P6 in binary (bits, grey, colour), P7 with named
// fields.
#include "base/image.hpp"

#include <algorithm>
#include <string>

namespace migraphx {

namespace {

class pnm_reader {
public:
    explicit pnm_reader(image_bytes bytes) : file(bytes) {}

    bool at_end() const { return at >= file.size(); }
    std::size_t rest() const { return file.size() - at; }
    int byte() { return at_end() ? -1 : file[at++]; }
    // Over white space and comments.
    void skip() {
        while (not at_end()) {
            if (file[at] == '#')
                while (not at_end() and file[at] != '\n')
                    ++at;
            else if (not is_space(file[at]))
                return;
            else
                ++at;
        }
    }
    std::optional<std::uint32_t> number() {
        skip();
        std::uint32_t v = 0;
        const auto first = at;
        for (; not at_end() and file[at] >= '0' and file[at] <= '9'; ++at) {
            if (v > 100000000)
                return std::nullopt;
            v = v * 10 + (file[at] - '0');
        }
        return at == first ? std::nullopt : std::optional(v);
    }
    // A digit 0 or 1, which need no space between them.
    std::optional<std::uint32_t> bit() {
        skip();
        const auto c = byte();
        return c == '0' or c == '1' ? std::optional(std::uint32_t(c - '0')) : std::nullopt;
    }
    std::string word() {
        skip();
        std::string w;
        while (not at_end() and not is_space(file[at]))
            w += static_cast<char>(file[at++]);
        return w;
    }
    // `count` bytes, high ones first.
    std::optional<std::uint32_t> binary(std::size_t count) {
        if (rest() < count)
            return std::nullopt;
        std::uint32_t v = 0;
        for (std::size_t i = 0; i < count; ++i)
            v = v << 8 | file[at++];
        return v;
    }

private:
    static bool is_space(int c) { return c == ' ' or (c >= '\t' and c <= '\r'); }

    image_bytes file;
    std::size_t at = 2;
};

struct pnm_header {
    std::uint32_t width = 0, height = 0, depth = 1, largest = 1;
};

std::optional<pnm_header> read_pam_header(pnm_reader& in) {
    pnm_header h;
    for (auto key = in.word(); key != "ENDHDR"; key = in.word()) {
        if (key == "TUPLTYPE") {
            in.word();
            continue;
        }
        const auto v = in.number();
        if (not v or key.empty())
            return std::nullopt;
        if (key == "WIDTH")
            h.width = *v;
        else if (key == "HEIGHT")
            h.height = *v;
        else if (key == "DEPTH")
            h.depth = *v;
        else if (key == "MAXVAL")
            h.largest = *v;
    }
    return h;
}

std::optional<pnm_header> read_header(pnm_reader& in, int kind) {
    if (kind == 7)
        return read_pam_header(in);
    pnm_header h;
    h.depth = kind % 3 == 0 ? 3 : 1;
    for (auto* v : {&h.width, &h.height, &h.largest}) {
        if (v == &h.largest and kind % 3 == 1)
            break;
        const auto number = in.number();
        if (not number)
            return std::nullopt;
        *v = *number;
    }
    return h;
}

} // namespace

std::optional<image> decode_pnm(image_bytes file) {
    if (file.size() < 2)
        return std::nullopt;
    const int kind = file[1] - '0';
    pnm_reader in(file);
    const auto h = read_header(in, kind);
    if (not h or h->largest < 1 or h->largest > 65535 or h->depth < 1 or h->depth > 4)
        return std::nullopt;
    const bool text = kind < 4, bits = kind == 1 or kind == 4;
    if (not text)
        in.byte(); // the white space behind the header
    const std::size_t width_of_sample = h->largest > 255 ? 2 : 1;
    // Sizes are checked against what the file can hold before memory is taken.
    const auto samples = std::uint64_t(h->width) * h->height * h->depth;
    if (samples / 8 > in.rest() or
        (not bits and samples * (text ? 1 : width_of_sample) > in.rest()))
        return std::nullopt;
    auto result = blank_image(h->width, h->height);
    if (not result)
        return std::nullopt;
    auto* to = result->rgb.data();
    std::uint32_t packed = 0;
    for (std::size_t y = 0; y < result->height; ++y)
        for (std::size_t x = 0; x < result->width; ++x, to += 3) {
            std::uint32_t pixel[4] = {};
            for (std::size_t c = 0; c < h->depth; ++c) {
                std::optional<std::uint32_t> v;
                if (kind == 4) {
                    if (x % 8 == 0) {
                        const auto next = in.binary(1);
                        if (not next)
                            return std::nullopt;
                        packed = *next;
                    }
                    v = packed >> (7 - x % 8) & 1;
                } else
                    v = kind == 1 ? in.bit() : text ? in.number() : in.binary(width_of_sample);
                if (not v)
                    return std::nullopt;
                pixel[c] = bits ? 1 - *v : std::min(*v, h->largest);
            }
            // One or two samples are grey and, behind it, the opacity; four are colour and opacity.
            for (std::size_t c = 0; c < 3; ++c) {
                const auto v = pixel[h->depth < 3 ? 0 : c];
                to[c] = static_cast<std::uint8_t>((v * 255 + h->largest / 2) / h->largest);
            }
        }
    return result;
}

} // namespace migraphx
