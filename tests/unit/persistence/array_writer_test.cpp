// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"
#include "persistence/postgres/array_writer.hpp"

#include <gtest/gtest.h>

namespace eventweft::postgres {
namespace {

// Expected bytes: what `SELECT …::binary` of array_send() gives.

TEST(array_writer, AnEmptyArray) {
  array_writer out{type_oid::text, 0, 0};
  EXPECT_EQ(crypto::to_hex(out.bytes()), "00000000"
                                         "00000001"
                                         "00000019");
}

TEST(array_writer, TextsAndNulls) {
  array_writer out{type_oid::text, 3, 2};
  out.add("a{\"");
  out.add_null();
  out.add("");
  EXPECT_EQ(crypto::to_hex(out.bytes()), "000000010000000100000019"
                                         "0000000300000001"
                                         "00000003617b22"
                                         "ffffffff"
                                         "00000000");
}

TEST(array_writer, NumbersTimesAndIds) {
  using namespace std::chrono;
  array_writer ints{type_oid::int4, 1, 0};
  ints.add(int32_t{-2});
  EXPECT_TRUE(crypto::to_hex(ints.bytes()).ends_with("00000004fffffffe"));
  array_writer floats{type_oid::float8, 1, 0};
  floats.add(1.0);
  EXPECT_TRUE(
      crypto::to_hex(floats.bytes()).ends_with("000000083ff0000000000000"));
  array_writer times{type_oid::timestamptz, 2, 0};
  times.add(timestamp{sys_days{year{2000} / 1 / 1} + microseconds{258}});
  times.add(
      timestamp{sys_days{year{1999} / 12 / 31} + hours{24} - microseconds{1}});
  EXPECT_TRUE(crypto::to_hex(times.bytes())
                  .ends_with("000000080000000000000102"
                             "00000008ffffffffffffffff"));
  array_writer ids{type_oid::uuid, 1, 0};
  ids.add(*uuid::parse("00112233-4455-6677-8899-aabbccddeeff"));
  EXPECT_TRUE(crypto::to_hex(ids.bytes())
                  .ends_with("0000001000112233445566778899aabbccddeeff"));
}

} // namespace
} // namespace eventweft::postgres
