// SPDX-License-Identifier: MIT
// Elements of ONNX tensors from raw, typed and external storage.
#include "import/onnx/model.hpp"
#include "import/onnx/tensor_argument.hpp"
#include "onnx_writer.hpp"

#include <migraphx/errors.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <sys/stat.h>

namespace {

namespace ow = onnx_writer;
using namespace migraphx::onnx;

model read_tensors(const std::vector<std::string>& tensors) {
    ow::graph g;
    g.initializers = tensors;
    const std::string bytes = ow::model(g.write());
    return read_model(bytes.data(), bytes.size());
}

template <class T>
std::vector<T> values(const tensor_bytes& d) {
    std::vector<T> out(d.bytes.size() / sizeof(T));
    if (!out.empty())
        std::memcpy(out.data(), d.bytes.data(), d.bytes.size());
    return out;
}

tensor_bytes data_of(const std::string& t) {
    const model m = read_tensors({t});
    return tensor_data(m, m.graph.initializers.at(0));
}

std::string tensor_error(const std::string& t) {
    try {
        data_of(t);
    } catch (const migraphx::exception& e) {
        return e.what();
    }
    return "no error";
}

void expect_error(const std::string& t, const std::vector<std::string>& parts) {
    const std::string text = tensor_error(t);
    for (const auto& p : parts)
        EXPECT_NE(text.find(p), std::string::npos) << "missing: " << p << "\nin: " << text;
}

std::string int32s(int type, const ow::ints& dims, const std::vector<std::int32_t>& v) {
    return ow::tensor("t", type, dims, [&](auto& w) { w.add_packed_int32(5, v.begin(), v.end()); });
}

// A folder that is removed again.
struct temporary_folder {
    temporary_folder() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "onnx_reader.XXXXXX").string();
        path = mkdtemp(pattern.data());
    }
    ~temporary_folder() { std::filesystem::remove_all(path); }
    void write(const std::string& name, const std::string& bytes) const {
        std::ofstream(path / name, std::ios::binary) << bytes;
    }
    std::filesystem::path path;
};

} // namespace

TEST(onnx_reader_tensor, raw_is_a_view_when_aligned) {
    const model m = read_tensors({ow::raw_tensor("u", 2, {3}, "abc"),
                                  ow::raw_tensor("f", 1, {2, 1}, ow::raw<float>({1.5F, -2}))});
    const auto u = tensor_data(m, m.graph.initializers[0]);
    EXPECT_TRUE(u.is_view);
    EXPECT_EQ(u.bytes, "abc");
    EXPECT_EQ(u.owner, m.from->owner);
    EXPECT_EQ(u.bytes.data(), m.graph.initializers[0].raw.data());
    const auto& t = m.graph.initializers[1];
    EXPECT_TRUE(tensor_data(m, t, 1).is_view);
    const auto f = tensor_data(m, t);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(f.bytes.data()) % alignof(float), 0U);
    EXPECT_EQ(values<float>(f), (std::vector<float>{1.5F, -2}));
    EXPECT_EQ(f.elements, 2U);
    const auto wide = tensor_data(m, t, 64);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(wide.bytes.data()) % 64, 0U);
}

TEST(onnx_reader_tensor, data_outlives_the_model) {
    const tensor_bytes d = data_of(ow::raw_tensor("t", 2, {3}, "abc"));
    EXPECT_EQ(d.bytes, "abc");
}

TEST(onnx_reader_tensor, typed_fields) {
    const auto typed = [](int type, const ow::ints& dims, auto f) {
        return data_of(ow::tensor("t", type, dims, f));
    };
    const std::vector<float> fs{1, 2.5F, -3};
    EXPECT_EQ(
        values<float>(typed(1, {3}, [&](auto& w) { w.add_packed_float(4, fs.begin(), fs.end()); })),
        fs);
    EXPECT_EQ(values<float>(typed(1, {3},
                                  [&](auto& w) {
                                      for (const float f : fs)
                                          w.add_float(4, f);
                                  })),
              fs);
    const std::vector<double> ds{1, -1e300};
    EXPECT_EQ(values<double>(
                  typed(11, {2}, [&](auto& w) { w.add_packed_double(10, ds.begin(), ds.end()); })),
              ds);
    const ow::ints is{-1, 1, INT64_MIN, INT64_MAX};
    EXPECT_EQ(values<std::int64_t>(
                  typed(7, {2, 2}, [&](auto& w) { w.add_packed_int64(7, is.begin(), is.end()); })),
              is);
    const std::vector<std::uint64_t> us{0, UINT32_MAX};
    const auto add_us = [&](auto& w) { w.add_packed_uint64(11, us.begin(), us.end()); };
    EXPECT_EQ(values<std::uint64_t>(typed(13, {2}, add_us)), us);
    EXPECT_EQ(values<std::uint32_t>(typed(12, {2}, add_us)),
              (std::vector<std::uint32_t>{0, UINT32_MAX}));
    const std::vector<float> cs{1, 2, 3, 4};
    const auto c = typed(14, {2}, [&](auto& w) { w.add_packed_float(4, cs.begin(), cs.end()); });
    EXPECT_EQ(c.elements, 2U);
    EXPECT_EQ(values<float>(c), cs);
}

TEST(onnx_reader_tensor, int32_data_holds_small_types) {
    EXPECT_EQ(values<std::int32_t>(data_of(int32s(6, {2}, {-7, 7}))),
              (std::vector<std::int32_t>{-7, 7}));
    EXPECT_EQ(values<std::int8_t>(data_of(int32s(3, {2}, {-128, 127}))),
              (std::vector<std::int8_t>{-128, 127}));
    EXPECT_EQ(values<std::uint8_t>(data_of(int32s(2, {2}, {0, 255}))),
              (std::vector<std::uint8_t>{0, 255}));
    EXPECT_EQ(values<std::uint16_t>(data_of(int32s(4, {1}, {65535}))),
              (std::vector<std::uint16_t>{65535}));
    EXPECT_EQ(values<std::int16_t>(data_of(int32s(5, {1}, {-2}))), (std::vector<std::int16_t>{-2}));
    for (const int half : {10, 16})
        EXPECT_EQ(values<std::uint16_t>(data_of(int32s(half, {2}, {0x3c00, 0xbc00}))),
                  (std::vector<std::uint16_t>{0x3c00, 0xbc00}));
    for (const int fp8 : {17, 18, 19, 20, 24})
        EXPECT_EQ(values<std::uint8_t>(data_of(int32s(fp8, {2}, {0x38, 0xb8}))),
                  (std::vector<std::uint8_t>{0x38, 0xb8}));
    EXPECT_EQ(values<std::uint8_t>(data_of(int32s(9, {3}, {0, 1, 2}))),
              (std::vector<std::uint8_t>{0, 1, 1}));
    expect_error(int32s(3, {1}, {256}), {"between -128 and 255", "got 256"});
}

TEST(onnx_reader_tensor, raw_bools_are_zero_or_one) {
    EXPECT_TRUE(data_of(ow::raw_tensor("t", 9, {2}, std::string("\0\1", 2))).is_view);
    EXPECT_EQ(data_of(ow::raw_tensor("t", 9, {3}, std::string("\0\7\xff", 3))).bytes,
              std::string("\0\1\1", 3));
}

TEST(onnx_reader_tensor, small_bit_widths) {
    const auto packed = data_of(ow::raw_tensor("t", 22, {3}, "\x8f\x07"));
    EXPECT_EQ(packed.elements, 3U);
    EXPECT_EQ(packed.bytes.size(), 2U);
    const auto signed_ = unpack_bits(packed);
    EXPECT_EQ(signed_.type, element_type::int4);
    EXPECT_EQ(values<std::uint8_t>(signed_), (std::vector<std::uint8_t>{15, 8, 7}));
    const auto unsigned_ = unpack_bits(data_of(int32s(21, {3}, {0x8f, 0x07})));
    EXPECT_EQ(unsigned_.type, element_type::uint4);
    EXPECT_EQ(values<std::uint8_t>(unsigned_), (std::vector<std::uint8_t>{15, 8, 7}));
    const auto pairs = unpack_bits(data_of(ow::raw_tensor("t", 25, {5}, "\xe4\x03")));
    EXPECT_EQ(values<std::uint8_t>(pairs), (std::vector<std::uint8_t>{0, 1, 2, 3, 3}));
    EXPECT_THROW(unpack_bits(data_of(int32s(2, {1}, {1}))), migraphx::exception);
    EXPECT_EQ(data_of(ow::raw_tensor("t", 23, {4}, "ab")).bytes, "ab");
    EXPECT_EQ(data_of(ow::raw_tensor("t", 25, {5}, "ab")).bytes, "ab");
    EXPECT_EQ(data_of(ow::raw_tensor("t", 27, {3}, "abc")).bytes, "abc");
}

TEST(onnx_reader_tensor, scalars_and_empty_tensors) {
    EXPECT_EQ(values<float>(data_of(ow::raw_tensor("t", 1, {}, ow::raw<float>({4})))),
              (std::vector<float>{4}));
    const auto none = data_of(ow::raw_tensor("t", 1, {0, 3}, ""));
    EXPECT_EQ(none.elements, 0U);
    EXPECT_TRUE(none.bytes.empty());
    EXPECT_EQ(data_of(ow::tensor("t", 7, {0}, [](auto&) {})).elements, 0U);
    EXPECT_EQ(data_of(ow::tensor("t", 1, {INT64_MAX, INT64_MAX, 0}, [](auto&) {})).elements, 0U);
}

TEST(onnx_reader_tensor, strings) {
    const auto t = ow::tensor("t", 8, {1, 2}, [](auto& w) {
        w.add_string(6, "a");
        w.add_string(6, std::string("b\0c", 3));
    });
    const model m = read_tensors({t, ow::tensor("t", 8, {3}, [](auto&) {})});
    const auto strings = tensor_strings(m, m.graph.initializers[0]);
    ASSERT_EQ(strings.size(), 2U);
    EXPECT_EQ(strings[1], std::string_view("b\0c", 3));
    EXPECT_THROW(tensor_strings(m, m.graph.initializers[1]), migraphx::exception);
    expect_error(t, {"numeric type, got type string", "in tensor \"t\""});
}

TEST(onnx_reader_tensor, wrong_sizes) {
    expect_error(
        ow::raw_tensor("w", 1, {3}, "abcd"),
        {"expected 12 bytes of raw data", "got 4 bytes", "in tensor \"w\"", "while reading"});
    expect_error(int32s(6, {3}, {1, 2}), {"expected 3 values", "got 2"});
    expect_error(ow::raw_tensor("w", 1, {-1}, "abcd"), {"at least 0, got -1"});
    expect_error(ow::raw_tensor("w", 1, {INT64_MAX, INT64_MAX}, "abcd"), {"fits 64 bits"});
    expect_error(ow::raw_tensor("w", 1, {INT64_MAX}, "abcd"), {"fits 64 bits"});
    expect_error(ow::raw_tensor("w", 2, {INT64_MAX}, "abcd"), {"9223372036854775807 bytes"});
    expect_error(ow::raw_tensor("w", 22, {INT64_MAX}, "abcd"), {"got 4 bytes"});
    expect_error(ow::raw_tensor("w", 0, {1}, "a"), {"type undefined"});
    expect_error(ow::raw_tensor("w", 99, {1}, "a"), {"type 99"});
    expect_error(ow::tensor("w", 1, {}, [](auto&) {}), {"expected 1 values", "got 0"});
    expect_error(ow::tensor("w", 1, {1}, [](auto& w) { w.add_bytes(4, "abc"); }),
                 {"packed elements"});
    expect_error(ow::tensor("w", 1, {1}, [](auto& w) { w.add_int64(4, 1); }),
                 {"expected a 32-bit value, got an integer"});
    expect_error(
        ow::tensor("w", 6, {1}, [](auto& w) { w.add_bytes(5, std::string("\x01\xff", 2)); }),
        {"malformed"});
    expect_error(ow::tensor("w", 1, {1}, [](auto& w) { w.add_message(3, ow::opset("", 1)); }),
                 {"segment"});
}

TEST(onnx_reader_tensor, external_data) {
    const temporary_folder folder;
    std::filesystem::create_directory(folder.path / "sub");
    std::string file(64, '\0');
    const auto floats = ow::raw<float>({1, 2, 3});
    file.replace(16, floats.size(), floats);
    folder.write("w.bin", file);
    folder.write("sub/w.bin", file);
    const auto external = [](const std::vector<std::pair<std::string, std::string>>& entries) {
        return ow::external_tensor("w", 1, {3}, entries);
    };
    const auto error = [&](const std::vector<std::pair<std::string, std::string>>& entries) {
        ow::graph g;
        g.initializers = {external(entries)};
        folder.write("m.onnx", ow::model(g.write()));
        try {
            const model m = read_model((folder.path / "m.onnx").string());
            const auto d = tensor_data(m, m.graph.initializers.at(0));
            EXPECT_EQ(values<float>(d), (std::vector<float>{1, 2, 3}));
            EXPECT_TRUE(d.is_view);
        } catch (const migraphx::exception& e) {
            return std::string(e.what());
        }
        return std::string("no error");
    };
    const auto expect = [&](const std::vector<std::pair<std::string, std::string>>& entries,
                            const std::string& part) {
        const auto text = error(entries);
        EXPECT_NE(text.find(part), std::string::npos) << "missing: " << part << "\nin: " << text;
    };
    expect({{"location", "w.bin"}, {"offset", "16"}, {"length", "12"}}, "no error");
    expect({{"length", "12"}, {"checksum", "x"}, {"offset", "16"}, {"location", "./sub/../w.bin"}},
           "no error");
    expect({{"location", "sub/w.bin"}, {"offset", "16"}}, "no error");
    expect({{"location", "w.bin"}, {"offset", "56"}}, "got a file of 64 bytes");
    expect({{"location", "w.bin"}, {"offset", "18446744073709551615"}}, "got a file of 64 bytes");
    expect({{"location", "w.bin"}, {"offset", "184467440737095516150"}}, "unsigned number");
    expect({{"location", "w.bin"}, {"offset", "-1"}}, "unsigned number");
    expect({{"location", "w.bin"}, {"offset", "1x"}}, "unsigned number");
    expect({{"location", "w.bin"}, {"length", "8"}}, "expected 12 bytes of external data");
    expect({{"location", "missing.bin"}}, "missing.bin");
    expect({{"location", "sub"}}, "sub");
    ASSERT_EQ(mkfifo((folder.path / "pipe").c_str(), 0600), 0);
    expect({{"location", "pipe"}}, "pipe");
    expect({{"offset", "0"}}, "inside the folder");
    for (const std::string bad :
         {"../w.bin", "sub/../../w.bin", "/etc/passwd", "..", ".", "sub/..", "a/../../w.bin"})
        expect({{"location", bad}}, "inside the folder");
    expect({{"location", std::string("w.bin\0x", 7)}}, "inside the folder");
}

TEST(onnx_reader_tensor, external_data_path) {
    const temporary_folder folder;
    folder.write("w.bin", ow::raw<float>({1, 2, 3}));
    ow::graph g;
    g.initializers = {ow::external_tensor("w", 1, {3}, {{"location", "w.bin"}}),
                      ow::external_tensor(
                          "v", 1, {2}, {{"location", "w.bin"}, {"offset", "4"}, {"length", "8"}})};
    const std::string bytes = ow::model(g.write());
    read_options options;
    options.external_data_path = folder.path.string();
    const model m = read_model(bytes.data(), bytes.size(), nullptr, options);
    const auto w = tensor_data(m, m.graph.initializers[0]);
    const auto v = tensor_data(m, m.graph.initializers[1]);
    EXPECT_EQ(values<float>(w), (std::vector<float>{1, 2, 3}));
    EXPECT_EQ(values<float>(v), (std::vector<float>{2, 3}));
    EXPECT_EQ(w.owner, v.owner);
}

TEST(onnx_reader_tensor, dropped_pages_are_read_again) {
    const temporary_folder folder;
    std::string big(1 << 22, '\0');
    for (std::size_t i = 0; i < big.size(); ++i)
        big[i] = static_cast<char>(i % 251);
    ow::graph g;
    g.initializers = {ow::raw_tensor("w", 1, {1 << 20}, big)};
    folder.write("m.onnx", ow::model(g.write()));
    const model m = read_model((folder.path / "m.onnx").string());
    for (const std::size_t alignment : {1, 4096, 64, 1})
        EXPECT_EQ(tensor_data(m, m.graph.initializers.at(0), alignment).bytes, big);
}

TEST(onnx_reader_tensor, sparse) {
    const auto sparse = [](const ow::ints& index_dims, const ow::ints& indices,
                           const ow::ints& dims) {
        return ow::message([&](auto& w) {
            w.add_message(1, ow::raw_tensor("s", 1, {2}, ow::raw<float>({5, 6})));
            w.add_message(2, ow::raw_tensor("", 7, index_dims, ow::raw<std::int64_t>(indices)));
            w.add_packed_int64(3, dims.begin(), dims.end());
        });
    };
    const auto dense = [](const std::string& s) {
        const std::string bytes = ow::model(ow::message([&](auto& w) { w.add_message(15, s); }));
        const model m = read_model(bytes.data(), bytes.size());
        return values<float>(to_dense(m, m.graph.sparse_initializers.at(0)));
    };
    const std::vector<float> expected{0, 5, 0, 0, 0, 6};
    EXPECT_EQ(dense(sparse({2}, {1, 5}, {2, 3})), expected);
    EXPECT_EQ(dense(sparse({2, 2}, {0, 1, 1, 2}, {2, 3})), expected);
    EXPECT_THROW(dense(sparse({2}, {1, 6}, {2, 3})), migraphx::exception);
    EXPECT_THROW(dense(sparse({2}, {1, -1}, {2, 3})), migraphx::exception);
    EXPECT_THROW(dense(sparse({2, 2}, {0, 1, 2, 2}, {2, 3})), migraphx::exception);
    EXPECT_THROW(dense(sparse({3}, {0, 1, 2}, {2, 3})), migraphx::exception);
    EXPECT_THROW(dense(sparse({2}, {1, 5}, {1 << 20, 1 << 20})), migraphx::exception);
}

TEST(onnx_reader_tensor, arguments) {
    using migraphx::shape;
    const auto argument_of = [](const std::string& t) {
        const model m = read_tensors({t});
        return tensor_argument(m, m.graph.initializers.at(0));
    };
    const auto bytes = argument_of(ow::raw_tensor("t", 2, {1, 3}, "abc"));
    EXPECT_EQ(bytes.get_shape(), (shape{shape::uint8_type, {1, 3}}));
    EXPECT_EQ(bytes.to_vector<int>(), (std::vector<int>{'a', 'b', 'c'}));
    const auto scalar = argument_of(ow::raw_tensor("t", 1, {}, ow::raw<float>({4})));
    EXPECT_EQ(scalar.get_shape(), shape{shape::float_type});
    EXPECT_EQ(scalar.at<float>(), 4.0F);
    const auto int4 = argument_of(ow::raw_tensor("t", 22, {3}, "\x8f\x07"));
    EXPECT_EQ(int4.get_shape(), (shape{shape::int4_type, {3}}));
    EXPECT_EQ(std::string(int4.data(), 3), (std::string{15, 8, 7}));
    const auto int2 = argument_of(ow::raw_tensor("t", 26, {5}, std::string("\xe4\x03", 2)));
    EXPECT_EQ(int2.get_shape(), (shape{shape::int2_type, {5}}));
    EXPECT_EQ(std::string(int2.data(), 5), (std::string{0, 1, 2, 3, 3}));
    const auto fp4 = argument_of(ow::raw_tensor("t", 23, {3, 1}, "\x21\x03"));
    EXPECT_EQ(fp4.get_shape(), (shape{shape::fp4_type, {3, 1}}));
    EXPECT_EQ(std::string(fp4.data(), 3), (std::string{1, 2, 3}));
    EXPECT_EQ(argument_of(ow::raw_tensor("t", 24, {1}, "a")).get_shape(),
              (shape{shape::fp8e8m0_type, {1}}));
    EXPECT_THROW(argument_of(ow::raw_tensor("t", 27, {4}, "abc")), migraphx::exception);
    EXPECT_THROW(argument_of(ow::raw_tensor("t", 22, {3}, "a")), migraphx::exception);
    EXPECT_EQ(argument_of(ow::raw_tensor("t", 1, {0, 2}, "")).get_shape().elements(), 0U);
}
