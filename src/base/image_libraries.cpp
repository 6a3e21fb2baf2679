// SPDX-License-Identifier: MIT
// Formats that the system's libraries decode. They are loaded when first needed; what is used of
// each is declared here, as their stable interfaces have it.
#include "base/image.hpp"

#include <migraphx/errors.hpp>

#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>

namespace migraphx {

namespace {

// A loaded library; it stays loaded.
class image_library {
public:
    image_library(const char* format, std::initializer_list<const char*> names)
        : kind(format), wanted(*names.begin()) {
        for (const auto* n : names)
            if (handle = dlopen(n, RTLD_NOW | RTLD_LOCAL); handle != nullptr)
                return;
        missing("library");
    }
    template <class F>
    void find(F*& f, const char* name) const {
        f = reinterpret_cast<F*>(dlsym(handle, name));
        if (f == nullptr)
            missing(name);
    }

private:
    [[noreturn]] void missing(const std::string& what) const {
        fail(error_kind::unsupported, "image: " + wanted + " of the system was expected for a " +
                                          kind + " file, got no " + what);
    }

    void* handle = nullptr;
    std::string kind, wanted;
};

// ---- JPEG

struct turbojpeg {
    void* (*init)();
    int (*header)(void*, const unsigned char*, unsigned long, int*, int*, int*, int*);
    int (*decompress)(void*, const unsigned char*, unsigned long, unsigned char*, int, int, int,
                      int, int);
    int (*destroy)(void*);

    turbojpeg() {
        const image_library lib("JPEG", {"libturbojpeg.so.0"});
        lib.find(init, "tjInitDecompress");
        lib.find(header, "tjDecompressHeader3");
        lib.find(decompress, "tjDecompress2");
        lib.find(destroy, "tjDestroy");
    }
};

// ---- PNG: png_image of the simplified interface

struct png_image {
    void* opaque;
    std::uint32_t version, width, height, format, flags, colormap_entries, warning_or_error;
    char message[64];
};

struct libpng {
    int (*begin)(png_image*, const void*, std::size_t);
    int (*finish)(png_image*, const void*, void*, std::int32_t, void*);
    void (*free)(png_image*);

    libpng() {
        const image_library lib("PNG", {"libpng16.so.16"});
        lib.find(begin, "png_image_begin_read_from_memory");
        lib.find(finish, "png_image_finish_read");
        lib.find(free, "png_image_free");
    }
};

// ---- WebP

struct libwebp {
    int (*info)(const std::uint8_t*, std::size_t, int*, int*);
    std::uint8_t* (*decode)(const std::uint8_t*, std::size_t, std::uint8_t*, std::size_t, int);

    libwebp() {
        const image_library lib("WebP", {"libwebp.so.7"});
        lib.find(info, "WebPGetInfo");
        lib.find(decode, "WebPDecodeRGBInto");
    }
};

// ---- TIFF

// A file in memory with a position.
struct memory_file {
    image_bytes bytes;
    std::uint64_t at = 0;

    std::size_t read(void* to, std::size_t count) {
        const auto left = at < bytes.size() ? bytes.size() - std::size_t(at) : 0;
        const auto n = std::min(count, left);
        if (n > 0)
            std::memcpy(to, bytes.data() + at, n);
        at += n;
        return n;
    }
};

struct libtiff {
    using size = std::ptrdiff_t;
    using transfer = size(void*, void*, size);
    void* (*open)(const char*, const char*, void*, transfer*, transfer*,
                  std::uint64_t (*)(void*, std::uint64_t, int), int (*)(void*),
                  std::uint64_t (*)(void*), int (*)(void*, void**, std::uint64_t*),
                  void (*)(void*, void*, std::uint64_t));
    int (*field)(void*, std::uint32_t, ...);
    int (*rgba)(void*, std::uint32_t, std::uint32_t, std::uint32_t*, int, int);
    void (*close)(void*);

    libtiff() {
        const image_library lib("TIFF", {"libtiff.so.6", "libtiff.so.5"});
        lib.find(open, "TIFFClientOpen");
        lib.find(field, "TIFFGetField");
        lib.find(rgba, "TIFFReadRGBAImageOriented");
        lib.find(close, "TIFFClose");
    }
};

libtiff::size tiff_read(void* file, void* to, libtiff::size count) {
    return libtiff::size(
        static_cast<memory_file*>(file)->read(to, std::size_t(std::max<libtiff::size>(count, 0))));
}
libtiff::size tiff_write(void*, void*, libtiff::size) {
    return 0;
}
std::uint64_t tiff_seek(void* file, std::uint64_t offset, int whence) {
    auto& f = *static_cast<memory_file*>(file);
    f.at = offset + (whence == SEEK_CUR ? f.at : whence == SEEK_END ? f.bytes.size() : 0);
    return f.at;
}
int tiff_close(void*) {
    return 0;
}
std::uint64_t tiff_size(void* file) {
    return static_cast<memory_file*>(file)->bytes.size();
}
int tiff_map(void*, void**, std::uint64_t*) {
    return 0;
}
void tiff_unmap(void*, void*, std::uint64_t) {}

// ---- JPEG 2000: the beginnings of opj_image and opj_image_comp

struct opj_component {
    std::uint32_t dx, dy, w, h, x0, y0, prec, bpp, sgnd, resno_decoded, factor;
    std::int32_t* data;
    std::uint16_t alpha;
};

struct opj_image {
    std::uint32_t x0, y0, x1, y1, numcomps;
    int color_space;
    opj_component* comps;
};

struct openjpeg {
    void* (*create_codec)(int);
    void (*destroy_codec)(void*);
    void (*default_parameters)(void*);
    int (*setup)(void*, void*);
    void* (*create_stream)(int);
    void (*destroy_stream)(void*);
    void (*set_read)(void*, std::size_t (*)(void*, std::size_t, void*));
    void (*set_skip)(void*, std::int64_t (*)(std::int64_t, void*));
    void (*set_seek)(void*, int (*)(std::int64_t, void*));
    void (*set_data)(void*, void*, void (*)(void*));
    void (*set_length)(void*, std::uint64_t);
    int (*read_header)(void*, void*, opj_image**);
    int (*decode)(void*, void*, opj_image*);
    void (*destroy_image)(opj_image*);

    openjpeg() {
        const image_library lib("JPEG 2000", {"libopenjp2.so.7"});
        lib.find(create_codec, "opj_create_decompress");
        lib.find(destroy_codec, "opj_destroy_codec");
        lib.find(default_parameters, "opj_set_default_decoder_parameters");
        lib.find(setup, "opj_setup_decoder");
        lib.find(create_stream, "opj_stream_default_create");
        lib.find(destroy_stream, "opj_stream_destroy");
        lib.find(set_read, "opj_stream_set_read_function");
        lib.find(set_skip, "opj_stream_set_skip_function");
        lib.find(set_seek, "opj_stream_set_seek_function");
        lib.find(set_data, "opj_stream_set_user_data");
        lib.find(set_length, "opj_stream_set_user_data_length");
        lib.find(read_header, "opj_read_header");
        lib.find(decode, "opj_decode");
        lib.find(destroy_image, "opj_image_destroy");
    }
};

std::size_t opj_read(void* to, std::size_t count, void* file) {
    const auto n = static_cast<memory_file*>(file)->read(to, count);
    return n == 0 ? static_cast<std::size_t>(-1) : n;
}
std::int64_t opj_skip(std::int64_t count, void* file) {
    auto& f = *static_cast<memory_file*>(file);
    if (count < 0 and std::uint64_t(-count) > f.at)
        return -1;
    f.at += std::uint64_t(count);
    return count;
}
int opj_seek(std::int64_t to, void* file) {
    static_cast<memory_file*>(file)->at = std::uint64_t(to);
    return to >= 0 ? 1 : 0;
}

// One sample of a component at a pixel of the image, as 8 bits.
std::uint8_t opj_sample(const opj_component& c, std::uint32_t x, std::uint32_t y) {
    const auto column = std::min(x / std::max(c.dx, 1u), c.w - 1),
               row = std::min(y / std::max(c.dy, 1u), c.h - 1);
    std::int64_t v = c.data[std::size_t(row) * c.w + column];
    if (c.sgnd != 0)
        v += std::int64_t{1} << (c.prec - 1);
    const auto most = (std::int64_t{1} << c.prec) - 1;
    return static_cast<std::uint8_t>((std::clamp<std::int64_t>(v, 0, most) * 255 + most / 2) /
                                     most);
}

std::optional<image> opj_pixels(const opj_image& source) {
    const auto count = source.numcomps;
    if (count == 0 or source.x1 <= source.x0 or source.y1 <= source.y0)
        return std::nullopt;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto& c = source.comps[i];
        if (c.data == nullptr or c.w == 0 or c.h == 0 or c.prec == 0 or c.prec > 31)
            return std::nullopt;
    }
    auto result = blank_image(source.x1 - source.x0, source.y1 - source.y0);
    if (not result)
        return std::nullopt;
    auto* to = result->rgb.data();
    for (std::uint32_t y = 0; y < result->height; ++y)
        for (std::uint32_t x = 0; x < result->width; ++x, to += 3)
            for (std::uint32_t c = 0; c < 3; ++c)
                to[c] = opj_sample(source.comps[count < 3 ? 0 : c], x, y);
    return result;
}

} // namespace

std::optional<image> decode_jpeg(image_bytes file) {
    static const turbojpeg lib;
    const std::unique_ptr<void, int (*)(void*)> decoder(lib.init(), lib.destroy);
    int width = 0, height = 0, sampling = 0, colours = 0;
    if (decoder == nullptr or
        lib.header(decoder.get(), file.data(), file.size(), &width, &height, &sampling, &colours) !=
            0 or
        width < 1 or height < 1)
        return std::nullopt;
    auto result = blank_image(std::uint64_t(width), std::uint64_t(height));
    constexpr int rgb = 0;
    if (not result or lib.decompress(decoder.get(), file.data(), file.size(), result->rgb.data(),
                                     width, 3 * width, height, rgb, 0) != 0)
        return std::nullopt;
    return result;
}

std::optional<image> decode_png(image_bytes file) {
    static const libpng lib;
    png_image source{};
    source.version = 1;
    const std::unique_ptr<png_image, void (*)(png_image*)> guard(&source, lib.free);
    if (lib.begin(&source, file.data(), file.size()) == 0)
        return std::nullopt;
    auto result = blank_image(source.width, source.height);
    if (not result)
        return std::nullopt;
    // With opacity, which is then left out: without, the picture would be mixed with a background.
    constexpr std::uint32_t rgba = 3;
    source.format = rgba;
    std::vector<std::uint8_t> pixels(result->width * result->height * 4);
    if (lib.finish(&source, nullptr, pixels.data(), 0, nullptr) == 0)
        return std::nullopt;
    for (std::size_t i = 0; i < pixels.size() / 4; ++i)
        std::copy_n(pixels.begin() + std::ptrdiff_t(4 * i), 3,
                    result->rgb.begin() + std::ptrdiff_t(3 * i));
    return result;
}

std::optional<image> decode_webp(image_bytes file) {
    static const libwebp lib;
    int width = 0, height = 0;
    if (lib.info(file.data(), file.size(), &width, &height) == 0 or width < 1 or height < 1)
        return std::nullopt;
    auto result = blank_image(std::uint64_t(width), std::uint64_t(height));
    if (not result or lib.decode(file.data(), file.size(), result->rgb.data(), result->rgb.size(),
                                 3 * width) == nullptr)
        return std::nullopt;
    return result;
}

std::optional<image> decode_tiff(image_bytes file) {
    static const libtiff lib;
    memory_file memory{file};
    const std::unique_ptr<void, void (*)(void*)> tiff(lib.open("image", "rm", &memory, tiff_read,
                                                               tiff_write, tiff_seek, tiff_close,
                                                               tiff_size, tiff_map, tiff_unmap),
                                                      lib.close);
    constexpr std::uint32_t image_width = 256, image_length = 257;
    std::uint32_t width = 0, height = 0;
    if (tiff == nullptr or lib.field(tiff.get(), image_width, &width) == 0 or
        lib.field(tiff.get(), image_length, &height) == 0)
        return std::nullopt;
    auto result = blank_image(width, height);
    if (not result)
        return std::nullopt;
    std::vector<std::uint32_t> pixels(result->width * result->height);
    constexpr int top_left = 1, stop_on_error = 1;
    if (lib.rgba(tiff.get(), width, height, pixels.data(), top_left, stop_on_error) == 0)
        return std::nullopt;
    for (std::size_t i = 0; i < pixels.size(); ++i)
        for (std::size_t c = 0; c < 3; ++c)
            result->rgb[3 * i + c] = static_cast<std::uint8_t>(pixels[i] >> (8 * c));
    return result;
}

std::optional<image> decode_jpeg2000(image_bytes file) {
    static const openjpeg lib;
    constexpr int codestream = 0, boxed = 2;
    memory_file memory{file};
    const std::unique_ptr<void, void (*)(void*)> codec(
        lib.create_codec(file[0] == 0xff ? codestream : boxed), lib.destroy_codec);
    const std::unique_ptr<void, void (*)(void*)> stream(lib.create_stream(1), lib.destroy_stream);
    if (codec == nullptr or stream == nullptr)
        return std::nullopt;
    lib.set_read(stream.get(), opj_read);
    lib.set_skip(stream.get(), opj_skip);
    lib.set_seek(stream.get(), opj_seek);
    lib.set_data(stream.get(), &memory, nullptr);
    lib.set_length(stream.get(), file.size());
    // opj_dparameters, of which nothing is used here; it has about 8 KiB.
    std::vector<std::uint64_t> parameters(8192);
    lib.default_parameters(parameters.data());
    opj_image* source = nullptr;
    if (lib.setup(codec.get(), parameters.data()) == 0 or
        lib.read_header(stream.get(), codec.get(), &source) == 0)
        return std::nullopt;
    const std::unique_ptr<opj_image, void (*)(opj_image*)> guard(source, lib.destroy_image);
    // The decoder takes memory for the size that the header states.
    if (source->x1 <= source->x0 or source->y1 <= source->y0 or
        not blank_image(source->x1 - source->x0, source->y1 - source->y0) or
        lib.decode(codec.get(), stream.get(), source) == 0)
        return std::nullopt;
    return opj_pixels(*source);
}

} // namespace migraphx
