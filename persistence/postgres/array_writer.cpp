// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/array_writer.hpp"

#include <bit>
#include <chrono>

namespace eventweft::postgres {
namespace {

/// PostgreSQL counts microseconds from 2000-01-01.
constexpr timestamp epoch =
    std::chrono::sys_days{std::chrono::year{2000} / 1 / 1};

} // namespace

array_writer::array_writer(type_oid element, size_t count, size_t bytes) {
  buffer_.reserve(20 + 4 * count + bytes);
  put32(count == 0 ? 0 : 1); // dimensions
  put32(1);                  // may hold nulls
  put32(static_cast<uint32_t>(element));
  if (count != 0) {
    put32(static_cast<uint32_t>(count));
    put32(1); // lower bound
  }
}

void array_writer::add_null() {
  put32(UINT32_MAX);
}

void array_writer::add(std::string_view text) {
  put32(static_cast<uint32_t>(text.size()));
  buffer_ += text;
}

void array_writer::add(const uuid& id) {
  put32(16);
  buffer_.append(id.bytes.begin(), id.bytes.end());
}

void array_writer::add(int32_t number) {
  put32(4);
  put32(static_cast<uint32_t>(number));
}

void array_writer::add(int64_t number) {
  put32(8);
  put64(static_cast<uint64_t>(number));
}

void array_writer::add(double number) {
  put32(8);
  put64(std::bit_cast<uint64_t>(number));
}

void array_writer::add(timestamp t) {
  put32(8);
  put64(static_cast<uint64_t>((t - epoch).count()));
}

void array_writer::put32(uint32_t value) {
  const char bytes[] = {
      static_cast<char>(value >> 24), static_cast<char>(value >> 16),
      static_cast<char>(value >> 8), static_cast<char>(value)};
  buffer_.append(bytes, sizeof bytes);
}

void array_writer::put64(uint64_t value) {
  put32(static_cast<uint32_t>(value >> 32));
  put32(static_cast<uint32_t>(value));
}

} // namespace eventweft::postgres
