// SPDX-License-Identifier: MIT
// The messages of graph.proto, node_def.proto, attr_value.proto, function.proto and tensor.proto.
#include "import/tf/model.hpp"

#include "base/files.hpp"
#include "import/message_reader.hpp"
#include "import/quote.hpp"

#include <migraphx/errors.hpp>

#include <map>

namespace migraphx::tf {

namespace {

class model_reader : private message_reader {
public:
    explicit model_reader(model& m) : message_reader(m.from->bytes.size()), m_model(m) {}

    void read() {
        try {
            read_graph(m_model.from->bytes);
        } catch (const proto::wire_error& e) {
            fail(e.what());
        }
    }

private:
    void read_graph(std::string_view message) {
        const auto n = counts<5>(message);
        reserve(m_model.nodes, n[1]);
        for (proto::reader r(message); r.next();) {
            if (r.field() == 1)
                within("node", m_model.nodes.size(),
                       [&] { read_node(r.bytes(), append(m_model.nodes)); });
            else if (r.field() == 2)
                read_library(r.bytes());
        }
        if (m_model.nodes.empty())
            fail("expected a frozen GraphDef, got bytes that hold no nodes (a SavedModel has to be "
                 "frozen first)");
    }

    void read_library(std::string_view message) {
        const auto n = counts<2>(message);
        reserve(m_model.functions, n[1]);
        for (proto::reader r(message); r.next();)
            if (r.field() == 1)
                within("function", m_model.functions.size(),
                       [&] { read_function(r.bytes(), append(m_model.functions)); });
    }

    void read_function(std::string_view message, function& out) {
        const auto n = counts<5>(message);
        reserve(out.nodes, n[3]);
        std::map<std::string_view, std::string_view> results;
        for (proto::reader r(message); r.next();) {
            switch (r.field()) {
            case 1:
                read_signature(r.bytes(), out);
                break;
            case 3:
                within("node", out.nodes.size(), [&] { read_node(r.bytes(), append(out.nodes)); });
                break;
            case 4: {
                charge(128);
                const auto [key, from] = read_pair(r.bytes());
                results[key] = from;
                break;
            }
            default:
                break;
            }
        }
        for (auto& o : out.outputs)
            o.from = results[o.name];
    }

    void read_signature(std::string_view message, function& out) {
        const auto n = counts<4>(message);
        reserve(out.inputs, n[2]);
        reserve(out.outputs, n[3]);
        const auto name_of = [](std::string_view arg) {
            std::string_view name;
            for (proto::reader r(arg); r.next();)
                if (r.field() == 1)
                    name = r.bytes();
            return name;
        };
        for (proto::reader r(message); r.next();) {
            if (r.field() == 1)
                m_path.back().name = out.name = r.bytes();
            else if (r.field() == 2)
                append(out.inputs) = name_of(r.bytes());
            else if (r.field() == 3)
                append(out.outputs).name = name_of(r.bytes());
        }
    }

    // An entry of a map: its key and the bytes of its value.
    static std::pair<std::string_view, std::string_view> read_pair(std::string_view message) {
        std::pair<std::string_view, std::string_view> result;
        for (proto::reader r(message); r.next();) {
            if (r.field() == 1)
                result.first = r.bytes();
            else if (r.field() == 2)
                result.second = r.bytes();
        }
        return result;
    }

    void read_node(std::string_view message, node& out) {
        const auto n = counts<6>(message);
        reserve(out.inputs, n[3]);
        reserve(out.attributes, n[5]);
        for (proto::reader r(message); r.next();) {
            switch (r.field()) {
            case 1:
                m_path.back().name = out.name = r.bytes();
                break;
            case 2:
                m_path.back().op_type = out.op_type = r.bytes();
                break;
            case 3:
                append(out.inputs) = r.bytes();
                break;
            case 5:
                read_attribute_entry(r.bytes(), append(out.attributes), 0);
                break;
            default:
                break;
            }
        }
        if (out.op_type.empty())
            fail("expected an operator, got none");
        if (out.name.empty())
            fail("expected a name, got none");
    }

    void read_attribute_entry(std::string_view message, attribute& out, std::size_t depth) {
        const auto [key, content] = read_pair(message);
        out.name = key;
        m_path.push_back({"attribute", no_index, key, {}});
        read_value(content, out, depth);
        m_path.pop_back();
    }

    void read_value(std::string_view message, attribute& out, std::size_t depth) {
        for (proto::reader r(message); r.next();) {
            if (r.field() == 1) {
                out.kind = attribute_kind::list;
                read_list(r.bytes(), out, depth);
            } else {
                read_one(r, out, depth);
            }
        }
    }

    // The oneof of AttrValue, whose fields 2 to 8 have the numbers and types of ListValue's.
    void read_one(const proto::reader& r, attribute& out, std::size_t depth) {
        const auto set = [&](attribute_kind k) { out.kind = k; };
        switch (r.field()) {
        case 2:
            set(attribute_kind::text);
            reserve(out.texts, 1);
            append(out.texts) = r.bytes();
            break;
        case 3:
        case 5:
        case 6:
            set(r.field() == 3   ? attribute_kind::integer
                : r.field() == 5 ? attribute_kind::boolean
                                 : attribute_kind::type);
            read_numbers(r, out.ints);
            break;
        case 4:
            set(attribute_kind::real);
            read_floats(r, out.floats);
            break;
        case 7:
            set(attribute_kind::shape);
            reserve(out.shapes, 1);
            read_shape(r.bytes(), append(out.shapes));
            break;
        case 8:
            set(attribute_kind::tensor);
            reserve(out.tensors, 1);
            read_tensor(r.bytes(), append(out.tensors));
            break;
        case 9:
            // A placeholder of AttrValue is a text, of ListValue a function.
            set(attribute_kind::placeholder);
            reserve(out.texts, 1);
            append(out.texts) = r.bytes();
            break;
        case 10:
            set(attribute_kind::function);
            read_call(r.bytes(), out, depth);
            break;
        default:
            break;
        }
    }

    void read_floats(const proto::reader& r, std::vector<float>& out) {
        charge(r.wire() == proto::wire_type::bytes ? r.bytes().size() : sizeof(float));
        r.append_to(out);
    }

    void read_list(std::string_view message, attribute& out, std::size_t depth) {
        for (proto::reader r(message); r.next();) {
            if (r.field() == 9)
                read_call(r.bytes(), out, depth);
            else if (r.field() >= 2 and r.field() <= 8)
                read_one(r, out, depth);
        }
        out.kind = attribute_kind::list;
    }

    void read_call(std::string_view message, attribute& out, std::size_t depth) {
        if (depth >= 16)
            fail("expected function attributes at most 16 deep, got more");
        reserve(out.functions, 1);
        auto& call = append(out.functions);
        const auto n = counts<3>(message);
        reserve(call.attributes, n[2]);
        for (proto::reader r(message); r.next();) {
            if (r.field() == 1)
                call.name = r.bytes();
            else if (r.field() == 2)
                read_attribute_entry(r.bytes(), append(call.attributes), depth + 1);
        }
    }

    void read_shape(std::string_view message, tensor_shape& out) {
        const auto n = counts<4>(message);
        reserve(out.dims, n[2]);
        for (proto::reader r(message); r.next();) {
            if (r.field() == 2) {
                std::int64_t size = 0;
                for (proto::reader d(r.bytes()); d.next();)
                    if (d.field() == 1)
                        size = d.integer();
                out.dims.push_back(size);
            } else if (r.field() == 3) {
                out.unknown_rank = r.integer() != 0;
            }
        }
    }

    void read_tensor(std::string_view message, tensor& out) {
        out.message = message;
        for (proto::reader r(message); r.next();) {
            if (r.field() == 1)
                out.type = static_cast<data_type>(r.integer32());
            else if (r.field() == 2)
                read_shape(r.bytes(), out.dims);
            else if (r.field() == 4)
                out.content = r.bytes();
        }
    }

    model& m_model;
};

model read_from(std::shared_ptr<const source> from) {
    model result;
    result.from = std::move(from);
    check_model_bytes(result.from->bytes, "a frozen TensorFlow graph");
    model_reader(result).read();
    return result;
}

} // namespace

const attribute* node::find(std::string_view attribute_name) const {
    for (const auto& a : attributes)
        if (a.name == attribute_name)
            return &a;
    return nullptr;
}

const function* model::find_function(std::string_view name) const {
    for (const auto& f : functions)
        if (f.name == name)
            return &f;
    return nullptr;
}

model read_model(const std::string& file_name) {
    auto from = std::make_shared<source>();
    from->name = file_name;
    from->file = map_file(file_name);
    from->bytes = from->file->view();
    from->owner = from->file;
    return read_from(std::move(from));
}

model read_model(const void* data, std::size_t size) {
    auto from = std::make_shared<source>();
    from->name = "graph in memory";
    auto copy =
        std::make_shared<std::string>(static_cast<const char*>(data), data == nullptr ? 0 : size);
    from->bytes = *copy;
    from->owner = std::move(copy);
    return read_from(std::move(from));
}

std::string describe(const node& n) {
    return "node " + in_quotes(n.name) + " (" + printable(n.op_type) + ")";
}

} // namespace migraphx::tf
