// SPDX-License-Identifier: MIT
// value: storage, construction, lookup and change of items.
#include <migraphx/value.hpp>

#include "base/str.hpp"
#include "base/value_data.hpp"

#include <algorithm>
#include <cstring>

namespace migraphx {

value::binary::binary(std::size_t n) {
    std::shared_ptr<std::uint8_t> fresh(new std::uint8_t[n](),
                                        std::default_delete<std::uint8_t[]>{});
    bytes = fresh.get();
    memory = std::move(fresh);
    count = n;
    owned = true;
}

value::binary::binary(const void* from, std::size_t n) {
    std::shared_ptr<std::uint8_t> fresh(new std::uint8_t[n], std::default_delete<std::uint8_t[]>{});
    if (n > 0)
        std::memcpy(fresh.get(), from, n);
    bytes = fresh.get();
    memory = std::move(fresh);
    count = n;
    owned = true;
}

value::binary::binary(std::shared_ptr<const void> owner, const void* from, std::size_t n)
    : memory(std::move(owner)), bytes(static_cast<const std::uint8_t*>(from)), count(n) {}

std::uint8_t* value::binary::make_unique() {
    if (bytes != nullptr and (not owned or memory.use_count() > 1))
        *this = binary(bytes, count);
    return const_cast<std::uint8_t*>(bytes); // memory of its own
}

void value::binary::resize(std::size_t n) {
    binary fresh(n);
    if (std::min(n, count) > 0)
        std::memcpy(fresh.data(), bytes, std::min(n, count));
    *this = std::move(fresh);
}

void value::binary::push_back(std::uint8_t x) {
    resize(count + 1);
    data()[count - 1] = x;
}

int value::binary::compare(const binary& x, const binary& y) {
    const std::size_t n = std::min(x.count, y.count);
    const int c = n == 0 or x.bytes == y.bytes ? 0 : std::memcmp(x.bytes, y.bytes, n);
    if (c != 0)
        return c;
    return x.count < y.count ? -1 : (x.count > y.count ? 1 : 0);
}

void value::object_data::add(value&& v) {
    v.flags = in_object;
    items.push_back(std::move(v));
    if (items.size() > linear_search) {
        const std::size_t first = index.empty() ? 0 : items.size() - 1;
        for (std::size_t i = first; i < items.size(); ++i)
            index.emplace(items[i].key->text, i);
    }
}

value* value::object_data::find(std::string_view k) {
    if (not index.empty()) {
        const auto it = index.find(k);
        return it == index.end() ? nullptr : &items[it->second];
    }
    for (auto& x : items)
        if (x.key->text == k)
            return &x;
    return nullptr;
}

value::value(const value& rhs) : kind(rhs.kind), flags(rhs.flags & is_pair), key(nullptr) {
    data_ = rhs.data_;
    switch (rhs.get_type()) {
    case string_type:
        data_.s->retain();
        break;
    case binary_type:
        data_.bin = new binary(*rhs.data_.bin);
        break;
    case array_type:
        data_.a = new array(*rhs.data_.a);
        break;
    case object_type:
        data_.o = rhs.data_.o->clone();
        break;
    default:
        break;
    }
    if (rhs.key != nullptr) {
        key = rhs.key;
        key->retain();
    }
}

void value::release() noexcept {
    switch (get_type()) {
    case string_type:
        data_.s->release();
        break;
    case binary_type:
        delete data_.bin;
        break;
    case array_type:
        delete data_.a;
        break;
    case object_type:
        delete data_.o;
        break;
    default:
        break;
    }
    kind = null_type;
    data_.u = 0;
}

void value::release_key() noexcept {
    if (key != nullptr)
        key->release();
    key = nullptr;
}

void value::set_key(std::string_view k) {
    release_key();
    if (not k.empty())
        key = new shared_string(k);
}

// Moves the content of rhs here; the key stays. A braced pair becomes the array it may have meant.
void value::take_content(value& rhs) noexcept {
    if ((rhs.flags & is_pair) != 0 and rhs.key != nullptr) {
        array both;
        both.emplace_back(rhs.key->text);
        both.push_back(rhs.without_key());
        rhs = value(std::move(both));
    }
    std::swap(kind, rhs.kind);
    std::swap(data_, rhs.data_);
}

void value::set_items(array&& v, bool array_on_empty) {
    const bool keyed = v.empty() ? not array_on_empty
                                 : std::all_of(v.begin(), v.end(),
                                               [](const value& x) { return x.key != nullptr; });
    if (keyed) {
        auto& o = make_object();
        o.items.reserve(v.size());
        for (auto& x : v) {
            if (auto* present = o.find(x.key->text)) {
                x.flags = 0;
                present->take_content(x);
            } else {
                o.add(std::move(x));
            }
        }
        return;
    }
    for (auto& x : v) {
        if (x.key != nullptr) {
            value plain;
            plain.take_content(x);
            x.release_key();
            x = std::move(plain);
        }
        x.flags = 0;
    }
    data_.a = new array(std::move(v));
    kind = array_type;
}

value::object_data& value::make_object() {
    data_.o = new object_data;
    kind = object_type;
    return *data_.o;
}

value::value(const std::initializer_list<value>& i) : value() {
    const auto* first = i.begin();
    if (i.size() == 2 and first->is_string() and first->key == nullptr) {
        value copy = first[1];
        take_content(copy);
        set_key(first->get_string());
        flags = is_pair;
        return;
    }
    set_items(array(i.begin(), i.end()), true);
}

value::value(const array& v, bool array_on_empty) : value() {
    set_items(array(v), array_on_empty);
}
value::value(array&& v, bool array_on_empty) : value() {
    set_items(std::move(v), array_on_empty);
}

value::value(const object& m) : value() {
    array list;
    list.reserve(m.size());
    for (const auto& p : m)
        list.emplace_back(p.first, p.second);
    set_items(std::move(list), false);
}

value::value(const char* s) : value(s == nullptr ? std::string_view() : std::string_view(s)) {}

value::value(std::string_view s) : value() {
    data_.s = new shared_string(s);
    kind = string_type;
}

value::value(binary b) : value() {
    data_.bin = new binary(std::move(b));
    kind = binary_type;
}

value::value(const std::string& pkey, const value& rhs) : value(pkey, value(rhs)) {}

value::value(const std::string& pkey, value&& rhs) : value() {
    take_content(rhs);
    set_key(pkey);
}

value::value(const std::string& pkey, const std::initializer_list<value>& i)
    : value(pkey, value(i)) {}

value::value(const std::string& pkey, const array& v, bool array_on_empty)
    : value(pkey, value(v, array_on_empty)) {}

value::value(const std::string& pkey, const object& m) : value(pkey, value(m)) {}
value::value(const std::string& pkey, std::nullptr_t) : value() {
    set_key(pkey);
}
value::value(const std::string& pkey, const char* s) : value(pkey, value(s)) {}

value& value::operator=(const value& rhs) {
    return *this = value(rhs);
}

value& value::operator=(value&& rhs) noexcept {
    if (this == &rhs)
        return *this;
    value taken(std::move(rhs));
    if ((flags & in_object) != 0) {
        take_content(taken);
        return *this;
    }
    std::swap(kind, taken.kind);
    std::swap(flags, taken.flags);
    std::swap(key, taken.key);
    std::swap(data_, taken.data_);
    return *this;
}

value& value::operator=(const std::initializer_list<value>& i) {
    value fresh(i);
    if (key == nullptr)
        return *this = std::move(fresh);
    return assign_content(std::move(fresh));
}

value& value::operator=(std::nullptr_t) {
    value none;
    take_content(none);
    return *this;
}

value& value::assign_content(value&& rhs) {
    take_content(rhs);
    return *this;
}

const std::string& value::get_string() const {
    return expect(string_type).data_.s->text;
}
const value::binary& value::get_binary() const {
    return *expect(binary_type).data_.bin;
}
const value::array& value::get_array() const {
    return *expect(array_type).data_.a;
}
const value::array& value::get_object() const {
    return expect(object_type).data_.o->items;
}

const std::string& value::get_key() const noexcept {
    static const std::string none;
    return key == nullptr ? none : key->text;
}

value value::without_key() const {
    value result = *this;
    result.release_key();
    result.flags = 0;
    return result;
}

value value::with_key(const std::string& pkey) const {
    value result = without_key();
    result.set_key(pkey);
    return result;
}

value* value::find(const std::string& pkey) {
    auto* found = is_object() ? data_.o->find(pkey) : nullptr;
    return found == nullptr ? end() : found;
}

const value* value::find(const std::string& pkey) const {
    const auto* found = is_object() ? data_.o->find(pkey) : nullptr;
    return found == nullptr ? end() : found;
}

bool value::contains(const std::string& pkey) const {
    return find(pkey) != end();
}

const value& value::at(const std::string& pkey) const {
    const auto* found = find(pkey);
    if (found != end())
        return *found;
    if (not is_object())
        fail(error_kind::invalid_argument,
             str("value: expected an object with key \"", pkey, "\", got ", to_string(get_type())));
    std::string known;
    for (const auto& x : *this)
        known += (known.empty() ? "" : ", ") + x.get_key();
    fail(error_kind::invalid_argument,
         str("value: expected one of the keys {", known, "}, got \"", pkey, "\""));
}

value& value::at(const std::string& pkey) {
    return const_cast<value&>(static_cast<const value&>(*this).at(pkey)); // *this is not const
}

value& value::operator[](const std::string& pkey) {
    auto* found = find(pkey);
    return found != end() ? *found : *insert(value(pkey, nullptr)).first;
}

std::size_t value::size() const noexcept {
    if (is_array())
        return data_.a->size();
    return is_object() ? data_.o->items.size() : 0;
}

const value* value::data() const noexcept {
    if (is_array())
        return data_.a->data();
    return is_object() ? data_.o->items.data() : nullptr;
}

value* value::data() noexcept {
    return const_cast<value*>(static_cast<const value*>(this)->data()); // *this is not const
}

const value& value::at(std::size_t i) const {
    if (i >= size())
        fail(error_kind::invalid_argument,
             str("value: expected an index below ", size(), ", got ", i));
    return data()[i];
}

value& value::at(std::size_t i) {
    return const_cast<value&>(static_cast<const value&>(*this).at(i)); // *this is not const
}

std::pair<value*, bool> value::insert(value&& v) {
    const bool keyed = v.key != nullptr;
    if (is_null()) {
        if (keyed)
            make_object();
        else
            set_items({}, true);
    }
    if (is_array()) {
        value item;
        item.take_content(v);
        data_.a->push_back(std::move(item));
        return {&data_.a->back(), true};
    }
    expect(object_type);
    if (not keyed)
        fail(
            error_kind::invalid_argument,
            str("value: expected an item with a key for an object, got ", to_string(v.get_type())));
    if (auto* present = data_.o->find(v.key->text))
        return {present, false};
    data_.o->add(std::move(v));
    return {&data_.o->items.back(), true};
}

value* value::insert(const value* pos, const value& v) {
    const std::ptrdiff_t at = pos == nullptr ? 0 : pos - data();
    auto [item, added] = insert(v);
    if (not added)
        return item;
    if (is_array()) {
        std::rotate(begin() + at, end() - 1, end());
    } else {
        array items = std::move(data_.o->items);
        delete data_.o;
        auto& o = make_object();
        o.items.reserve(items.size());
        for (std::size_t i = 0; i + 1 < items.size(); ++i) {
            if (static_cast<std::ptrdiff_t>(i) == at)
                o.add(std::move(items.back()));
            o.add(std::move(items[i]));
        }
        if (o.items.size() < items.size())
            o.add(std::move(items.back()));
    }
    return begin() + at;
}

void value::reserve(std::size_t n) {
    if (is_null())
        set_items({}, true);
    if (is_array())
        data_.a->reserve(n);
    else if (is_object())
        data_.o->items.reserve(n);
}

void value::resize(std::size_t n) {
    resize(n, value());
}

void value::resize(std::size_t n, const value& v) {
    if (is_null())
        set_items({}, true);
    if (not is_array())
        wrong_kind(array_type);
    data_.a->resize(n, v.without_key());
}

void value::clear() {
    if (is_array())
        data_.a->clear();
    else if (is_object())
        *data_.o = object_data{};
    else if (not is_null())
        wrong_kind(array_type);
}

} // namespace migraphx
