// SPDX-License-Identifier: MIT
// A TensorFlow GraphDef as plain structs. Names, strings and tensor bytes are views into the file,
// which a model keeps alive through its `source`.
#pragma once

#include <migraphx/shape.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace migraphx {
class mapped_file;
}

namespace migraphx::tf {

/// DataType of types.proto; other numbers may occur in a file and are kept. 100 more is a
/// reference.
enum class data_type : std::int32_t {
    invalid = 0,
    float32 = 1,
    float64 = 2,
    int32 = 3,
    uint8 = 4,
    int16 = 5,
    int8 = 6,
    string = 7,
    complex64 = 8,
    int64 = 9,
    boolean = 10,
    qint8 = 11,
    quint8 = 12,
    qint32 = 13,
    bfloat16 = 14,
    qint16 = 15,
    quint16 = 16,
    uint16 = 17,
    complex128 = 18,
    float16 = 19,
    resource = 20,
    variant = 21,
    uint32 = 22,
    uint64 = 23,
    float8e5m2 = 24,
    float8e4m3fn = 25,
    float8e4m3fnuz = 26,
    float8e5m2fnuz = 28,
    int4 = 29,
    uint4 = 30,
};

/// "float", "int32" … or the number.
std::string type_name(data_type t);
/// The element type of the engine; nullopt where it has none.
std::optional<shape::type_t> to_shape_type(data_type t);

struct tensor_shape {
    bool unknown_rank = false;
    std::vector<std::int64_t> dims; // -1: unknown
};

/// A tensor as stored; see tensor.hpp for its elements.
struct tensor {
    data_type type = data_type::invalid;
    tensor_shape dims;
    std::string_view content; // all elements, or empty
    std::string_view message; // the whole TensorProto, for its typed fields
};

struct attribute;

/// A function's name and the attributes it is called with.
struct function_call {
    std::string_view name;
    std::vector<attribute> attributes;
};

enum class attribute_kind : std::uint8_t {
    none,
    list,
    text,
    integer,
    real,
    boolean,
    type,
    shape,
    tensor,
    function,
    placeholder
};

/// One value is kept as a list of one; `kind` says which list, of a list of values the first that
/// is not empty.
struct attribute {
    std::string_view name;
    attribute_kind kind = attribute_kind::none;
    std::vector<std::string_view> texts; // also placeholders
    std::vector<std::int64_t> ints;      // also booleans and types
    std::vector<float> floats;
    std::vector<tensor_shape> shapes;
    std::vector<tensor> tensors;
    std::vector<function_call> functions;
};

struct node {
    std::string_view name;
    std::string_view op_type;
    std::vector<std::string_view> inputs; // "node", "node:output", "^control"
    std::vector<attribute> attributes;

    const attribute* find(std::string_view attribute_name) const;
};

/// A value of a function's signature or body.
struct function_value {
    std::string_view name;
    std::string_view from; // results: the body's value, "node:result:index"
};

struct function {
    std::string_view name;
    std::vector<std::string_view> inputs;
    std::vector<function_value> outputs;
    std::vector<node> nodes;
};

/// Where a model's bytes are, and what keeps them there.
struct source {
    std::string name; // file name, for messages
    std::string_view bytes;
    std::shared_ptr<const void> owner;
    std::shared_ptr<const mapped_file> file;
};

struct model {
    std::shared_ptr<const source> from;
    std::vector<node> nodes;
    std::vector<function> functions;

    const function* find_function(std::string_view name) const;
};

/// Maps the file and reads its structure. Throws an exception that names the file and the place in
/// it when the file is missing, malformed or asks for memory beyond a small multiple of its size.
model read_model(const std::string& file_name);
/// The same for bytes in memory, which are copied.
model read_model(const void* data, std::size_t size);

/// `node "conv1" (Conv2D)` for messages.
std::string describe(const node& n);

} // namespace migraphx::tf
