// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace eventweft::postgres {

/// Object ids of PostgreSQL's built-in types; they never change.
enum class type_oid : uint32_t {
  int8 = 20,
  int4 = 23,
  text = 25,
  json = 114,
  float8 = 701,
  timestamptz = 1184,
  uuid = 2950,
};

/// Writes a one-dimensional array in PostgreSQL's binary format, so that
/// nothing is escaped and nothing parsed: payloads go over as they are.
/// Exactly `count` elements must follow the constructor.
class array_writer {
 public:
  /// `bytes`: what the elements will take, roughly.
  array_writer(type_oid element, size_t count, size_t bytes);

  void add_null();
  void add(std::string_view text);
  void add(const uuid& id);
  void add(int32_t number);
  void add(int64_t number);
  void add(double number);
  void add(timestamp t);

  std::string_view bytes() const noexcept { return buffer_; }

 private:
  void put32(uint32_t value);
  void put64(uint64_t value);

  std::string buffer_;
};

} // namespace eventweft::postgres
