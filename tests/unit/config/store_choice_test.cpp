// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/config/support.hpp"

#include <gmock/gmock.h>
#include <libpq-fe.h>

#include <memory>

namespace eventweft::config {
namespace {

/// What libpq itself reads out of a URL.
std::map<std::string, std::string> read_by_libpq(const std::string& url) {
  char* fault = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
      PQconninfoParse(url.c_str(), &fault), &PQconninfoFree};
  std::map<std::string, std::string> result;
  if (fault) {
    ADD_FAILURE() << fault;
    PQfreemem(fault);
  }
  for (const auto* o = options.get(); o && o->keyword; ++o)
    if (o->val)
      result[o->keyword] = o->val;
  return result;
}

std::string url_of(std::string_view toml, environment env = {}) {
  load_options options;
  options.env = std::move(env);
  const auto e = from_text(toml, options);
  return e ? e->values.store.url : "fault: " + e.error().message;
}

TEST(StoreChoice, SqliteWithoutAnyWord) {
  EXPECT_EQ(url_of(""), "sqlite:eventweft.db");
  EXPECT_EQ(url_of("[database]\nmax_connections = 20\n"),
            "sqlite:eventweft.db");
}

TEST(StoreChoice, PostgresByHostOrName) {
  EXPECT_EQ(url_of("[database]\nhost = \"db\"\n"),
            "postgresql://eventweft@db:5432/eventweft?sslmode=prefer");
  EXPECT_EQ(url_of("", {{"DB_NAME", "hub"}}),
            "postgresql://eventweft@:5432/hub?sslmode=prefer");
}

TEST(StoreChoice, PostgresByAnyOfTheClassicVariables) {
  EXPECT_EQ(url_of("", {{"DB_USER", "me"}}),
            "postgresql://me@:5432/eventweft?sslmode=prefer");
  EXPECT_EQ(url_of("", {{"DB_PASSWORD", "pw"}}),
            "postgresql://eventweft:pw@:5432/eventweft?sslmode=prefer");
  EXPECT_EQ(url_of("", {{"DB_PORT", "6000"}}),
            "postgresql://eventweft@:6000/eventweft?sslmode=prefer");
  // In a file, only what says where it is does.
  EXPECT_EQ(url_of("[database]\nuser = \"me\"\n"), "sqlite:eventweft.db");
  EXPECT_EQ(url_of("", {{"EVENTWEFT_DATABASE_USER", "me"}}),
            "sqlite:eventweft.db");
}

TEST(StoreChoice, TheUrlWinsOverThePartsOfTheSameSource) {
  EXPECT_EQ(url_of("[store]\nurl = \"sqlite:a.db\"\n[database]\n"
                   "host = \"db\"\n"),
            "sqlite:a.db");
}

TEST(StoreChoice, TheStrongerSourceWins) {
  EXPECT_EQ(url_of("[store]\nurl = \"sqlite:a.db\"\n", {{"DB_HOST", "db"}}),
            "postgresql://eventweft@db:5432/eventweft?sslmode=prefer");
  EXPECT_EQ(url_of("[database]\nhost = \"db\"\n",
                   {{"EVENTWEFT_STORE_URL", "sqlite:b.db"}}),
            "sqlite:b.db");
}

TEST(StoreChoice, RefusesOtherAddresses) {
  for (std::string_view bad : {"sqlite:", "mysql://h/d", "eventweft.db"})
    EXPECT_THAT(url_of("[store]\nurl = \"" + std::string{bad} + "\"\n"),
                ::testing::HasSubstr("expected sqlite:PATH"))
        << bad;
  EXPECT_EQ(url_of("[store]\nurl = \"host=h dbname=d\"\n"), "host=h dbname=d");
}

TEST(StoreChoice, LibpqReadsEveryPartBack) {
  database_settings d;
  d.host = "db.example";
  d.port = 6543;
  d.database = "my db/ü?x";
  d.user = "a@b:c";
  d.password = "p@ss:w/or?d#%&='\\ é";
  d.sslmode = "verify-full";
  d.sslrootcert = "/etc/my cas/root&1.pem";
  const auto parts = read_by_libpq(database_url(d));
  EXPECT_EQ(parts.at("host"), d.host);
  EXPECT_EQ(parts.at("port"), "6543");
  EXPECT_EQ(parts.at("dbname"), d.database);
  EXPECT_EQ(parts.at("user"), d.user);
  EXPECT_EQ(parts.at("password"), d.password);
  EXPECT_EQ(parts.at("sslmode"), "verify-full");
  EXPECT_EQ(parts.at("sslrootcert"), d.sslrootcert);
}

TEST(StoreChoice, LibpqReadsSocketsAndIPv6) {
  database_settings d;
  d.host = "/var/run/postgresql";
  EXPECT_EQ(read_by_libpq(database_url(d)).at("host"), d.host);
  d.host = "::1";
  EXPECT_EQ(read_by_libpq(database_url(d)).at("host"), "::1");
  d.host = "";
  const auto parts = read_by_libpq(database_url(d));
  EXPECT_FALSE(parts.contains("host") && !parts.at("host").empty());
  EXPECT_EQ(parts.at("dbname"), "eventweft");
}

} // namespace
} // namespace eventweft::config
