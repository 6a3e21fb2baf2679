// SPDX-License-Identifier: MIT
// An ONNX model as plain structs. Names, strings and tensor bytes are views into the file, which a
// model keeps alive through its `source`; copies of a model or of its parts are valid as long as
// one model is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace migraphx {
class mapped_file;
}

namespace migraphx::onnx {

class external_files;

/// TensorProto.DataType; other numbers may occur in a file and are kept.
enum class element_type : std::int32_t {
    undefined = 0,
    float32 = 1,
    uint8 = 2,
    int8 = 3,
    uint16 = 4,
    int16 = 5,
    int32 = 6,
    int64 = 7,
    string = 8,
    boolean = 9,
    float16 = 10,
    float64 = 11,
    uint32 = 12,
    uint64 = 13,
    complex64 = 14,
    complex128 = 15,
    bfloat16 = 16,
    float8e4m3fn = 17,
    float8e4m3fnuz = 18,
    float8e5m2 = 19,
    float8e5m2fnuz = 20,
    uint4 = 21,
    int4 = 22,
    float4e2m1 = 23,
    float8e8m0 = 24,
    uint2 = 25,
    int2 = 26,
    float6e2m3 = 27,
    float6e3m2 = 28,
};

/// AttributeProto.AttributeType.
enum class attribute_type : std::int32_t {
    undefined = 0,
    float_value = 1,
    int_value = 2,
    string_value = 3,
    tensor_value = 4,
    graph_value = 5,
    floats = 6,
    ints = 7,
    strings = 8,
    tensors = 9,
    graphs = 10,
    sparse_tensor = 11,
    sparse_tensors = 12,
    type_proto = 13,
    type_protos = 14,
};

using string_pairs = std::vector<std::pair<std::string_view, std::string_view>>;
/// Domain to version. The default domain is "", also where the file says "ai.onnx".
using opset_map = std::map<std::string_view, std::int64_t>;

/// A tensor as stored. `tensor_data()` and `tensor_strings()` in tensor.hpp give its elements.
struct tensor {
    std::string_view name;
    std::vector<std::int64_t> dims; // as in the file, so possibly negative
    element_type type = element_type::undefined;
    bool has_raw = false;
    bool is_external = false;
    bool is_segment = false;
    std::string_view raw;
    std::string_view message; // the whole TensorProto, for its typed fields
    struct {
        std::string_view location, offset, length;
    } external;
};

struct sparse_tensor {
    tensor values;
    tensor indices;
    std::vector<std::int64_t> dims;
};

struct dimension {
    enum class kind : std::uint8_t { unknown, value, param };
    kind is = kind::unknown;
    std::int64_t value = 0;
    std::string_view param;
};

struct type_info {
    enum class kind : std::uint8_t { none, tensor, sparse_tensor, sequence, map, optional, opaque };
    kind is = kind::none;
    bool has_shape = false;                      // false: the rank is unknown
    element_type elem = element_type::undefined; // tensors
    element_type key = element_type::undefined;  // maps
    std::vector<dimension> dims;                 // tensors
    std::vector<type_info> element;              // one, for sequence, map (its value) and optional
};

struct value_info {
    std::string_view name;
    type_info type;
};

struct graph;

/// The lists hold one element when the attribute is a single tensor, graph, sparse tensor or type.
struct attribute {
    std::string_view name;
    std::string_view
        ref_attr_name; // set: the value is the attribute of that name of the calling node
    attribute_type type = attribute_type::undefined;
    float f = 0;
    std::int64_t i = 0;
    std::string_view s;
    std::vector<float> floats;
    std::vector<std::int64_t> ints;
    std::vector<std::string_view> strings;
    std::vector<tensor> tensors;
    std::vector<graph> graphs;
    std::vector<sparse_tensor> sparse_tensors;
    std::vector<type_info> types;

    /// The tensor of an attribute of type tensor_value; the reader has checked that there is one.
    const tensor& t() const { return tensors.front(); }
    const graph& g() const { return graphs.front(); }
};

struct node {
    std::string_view name;
    std::string_view op_type;
    std::string_view domain; // "" for the default domain
    std::string_view overload;
    std::vector<std::string_view> inputs; // "" for an optional input left out
    std::vector<std::string_view> outputs;
    std::vector<attribute> attributes;

    const attribute* find(std::string_view attribute_name) const;
};

struct graph {
    std::string_view name;
    std::vector<node> nodes;
    std::vector<tensor> initializers;
    std::vector<sparse_tensor> sparse_initializers;
    std::vector<value_info> inputs;
    std::vector<value_info> outputs;
    std::vector<value_info> value_infos;
};

/// A model-local function, called by nodes of its domain, name and overload.
struct function {
    std::string_view name;
    std::string_view domain;
    std::string_view overload;
    std::vector<std::string_view> inputs;
    std::vector<std::string_view> outputs;
    std::vector<std::string_view> attributes;  // without defaults
    std::vector<attribute> attribute_defaults; // with defaults
    std::vector<node> nodes;
    std::vector<value_info> value_infos;
    opset_map opset_imports;
};

/// Where a model's bytes are, and what keeps them there.
struct source {
    std::string name; // file name, for messages
    std::string_view bytes;
    std::shared_ptr<const void> owner;
    std::shared_ptr<const mapped_file> file; // set when the bytes are a mapped file
    std::shared_ptr<external_files> external;
};

struct model {
    std::shared_ptr<const source> from;
    std::int64_t ir_version = 0;
    std::int64_t model_version = 0;
    std::string_view producer_name;
    std::string_view producer_version;
    std::string_view domain;
    std::string_view doc_string;
    opset_map opset_imports;
    string_pairs metadata_props;
    std::vector<function> functions;
    onnx::graph graph;
};

struct read_options {
    /// Folder of the external data; empty: the folder of the model file. For a model in memory and
    /// an empty value the current folder is used.
    std::string external_data_path;
};

/// Maps the file and reads its structure. Throws an exception that names the file and the place in
/// it when the file is missing, malformed, nests deeper than 64 graphs or asks for memory beyond a
/// small multiple of its size. Tensors are located, not read.
model read_model(const std::string& file_name, const read_options& options = {});

/// The same for bytes in memory. They are copied unless `owner` keeps them alive.
model read_model(const void* data, std::size_t size, std::shared_ptr<const void> owner = nullptr,
                 const read_options& options = {});

} // namespace migraphx::onnx
