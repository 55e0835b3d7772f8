// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

namespace eventweft::crypto {
namespace {

std::string hmac_hex(hash algorithm, std::string_view key,
                     std::string_view data) {
  const std::array parts{data};
  return to_hex(hmac(algorithm, key, parts));
}

// RFC 2202 and RFC 4231, test case 2.
TEST(hmac, holds_for_the_rfcs_vectors) {
  constexpr std::string_view data = "what do ya want for nothing?";
  EXPECT_EQ(hmac_hex(hash::sha1, "Jefe", data),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(hmac_hex(hash::sha256, "Jefe", data),
            "5bdcc146bf60754e6a042426089575c7"
            "5a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac_hex(hash::sha512, "Jefe", data),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

TEST(hmac, covers_the_concatenation_of_its_parts) {
  const std::array<std::string_view, 4> parts{"what do ya ", "", "want for",
                                              " nothing?"};
  const std::array<std::string_view, 1> whole{"what do ya want for nothing?"};
  EXPECT_EQ(hmac(hash::sha256, "Jefe", parts),
            hmac(hash::sha256, "Jefe", whole));
}

TEST(hmac, does_not_remember_the_key_before) {
  const auto empty = hmac_hex(hash::sha256, "", "");
  EXPECT_EQ(empty, "b613679a0814d9ec772f95d778c35fc5"
                   "ff1697c493715653c6c712144292c5ad");
  hmac_hex(hash::sha256, "another", "text");
  EXPECT_EQ(hmac_hex(hash::sha256, "", ""), empty);
}

TEST(hmac, serves_threads_side_by_side) {
  const auto expected = hmac_hex(hash::sha256, "key", std::string(10'000, 'x'));
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i)
        wrong[t] +=
            hmac_hex(hash::sha256, "key", std::string(10'000, 'x')) != expected;
    });
  for (auto& t : threads)
    t.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST(digest, holds_for_known_texts) {
  EXPECT_EQ(to_hex(digest(hash::sha1, "abc")),
            "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(to_hex(digest(hash::sha256, "")),
            "e3b0c44298fc1c149afbf4c8996fb924"
            "27ae41e4649b934ca495991b7852b855");
}

TEST(equal_constant_time, compares_all_of_both) {
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  EXPECT_TRUE(equal_constant_time("", ""));
  EXPECT_FALSE(equal_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_constant_time("abc", "ab"));
  EXPECT_FALSE(equal_constant_time("", "a"));
}

// RFC 8032, section 7.1, tests 1 to 3.
TEST(ed25519, holds_for_the_rfcs_vectors) {
  struct vector {
    std::string_view key, message, signature;
  };
  constexpr std::array<vector, 3> vectors{{
      {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
       "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
      {"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
       "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
      {"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
       "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
       "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
  }};
  for (const auto& v : vectors) {
    const auto key = from_hex(v.key).value();
    const auto message = from_hex(v.message).value();
    auto signature = from_hex(v.signature).value();
    EXPECT_TRUE(verify_ed25519(key, message, signature)) << v.message;
    EXPECT_FALSE(verify_ed25519(key, message + "x", signature));
    EXPECT_FALSE(verify_ed25519(key.substr(1), message, signature));
    EXPECT_FALSE(verify_ed25519(key, message, signature.substr(1)));
    signature[10] = static_cast<char>(signature[10] ^ 1);
    EXPECT_FALSE(verify_ed25519(key, message, signature));
  }
}

TEST(hex, reads_either_case_and_writes_lower) {
  EXPECT_EQ(from_hex("00fF10"), std::string("\x00\xff\x10", 3));
  EXPECT_EQ(to_hex(std::string_view{"\x00\xff\x10", 3}), "00ff10");
  EXPECT_EQ(from_hex(""), "");
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
  EXPECT_FALSE(from_hex("0x"));
}

// RFC 4648, section 10.
TEST(base64, holds_for_the_rfcs_vectors) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(to_base64(plain), text);
    EXPECT_EQ(from_base64(text), std::string{plain});
  }
}

TEST(base64, takes_both_alphabets_and_refuses_the_rest) {
  EXPECT_EQ(from_base64("-_8"), from_base64("+/8="));
  EXPECT_EQ(from_base64("Zm8"), "fo");
  EXPECT_FALSE(from_base64("Z"));
  EXPECT_FALSE(from_base64("Zm9v!"));
  EXPECT_FALSE(from_base64("Zm 9v"));
  EXPECT_FALSE(from_base64("Zg==Zg=="));
}

} // namespace
} // namespace eventweft::crypto
