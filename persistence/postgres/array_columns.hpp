// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/postgres/array_writer.hpp"

#include <pqxx/pqxx>

#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace eventweft::postgres {

/// Parameters of one call, one binary array a column.
class array_columns {
 public:
  /// `get` gives each item's value, an `optional` for one that may be null.
  template <class Items, class Get>
  void add(type_oid type, const Items& items, Get get, size_t bytes = 0) {
    const auto count = std::size(items);
    array_writer out{type, count, bytes != 0 ? bytes : 24 * count};
    for (const auto& item : items)
      put(out, get(item));
    arrays_.push_back(std::move(out));
  }

  void add_empty(type_oid type) { arrays_.emplace_back(type, 0, 0); }

  /// Appends views into this object.
  void append_to(pqxx::params& all) const {
    for (const auto& array : arrays_)
      all.append(pqxx::binary_cast(array.bytes()));
  }

 private:
  template <class T>
  static void put(array_writer& out, const T& value) {
    out.add(value);
  }
  template <class T>
  static void put(array_writer& out, const std::optional<T>& value) {
    if (value)
      out.add(*value);
    else
      out.add_null();
  }

  std::vector<array_writer> arrays_;
};

} // namespace eventweft::postgres
