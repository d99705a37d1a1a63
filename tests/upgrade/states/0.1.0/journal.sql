BEGIN TRANSACTION;
CREATE TABLE events (
        seq INTEGER PRIMARY KEY,
        utc TEXT NOT NULL,
        kind TEXT NOT NULL,
        data TEXT NOT NULL,
        hash TEXT NOT NULL
    );
INSERT INTO "events" VALUES(1,'2026-03-02T08:00:14.000Z','machine_started','{"version":""}','8ac7e65c4683e50ed248a697fe36516931a27e78b7d6fe4599e0ad1d93f65524');
INSERT INTO "events" VALUES(2,'2026-03-02T08:00:21.000Z','stock_set','{"slot":"A1","count":3,"reason":"initial"}','f91e495f4d949228372761732e11655dd9ee13911bd7f0de6e3aa81301e95a47');
INSERT INTO "events" VALUES(3,'2026-03-02T08:00:28.000Z','stock_set','{"slot":"B1","count":3,"reason":"initial"}','8afd802b72f49734c2d8724892b213539275502e2cd856998755c708f85d2617');
INSERT INTO "events" VALUES(4,'2026-03-02T08:00:35.000Z','stock_set','{"slot":"B2","count":3,"reason":"initial"}','6519f52a65692fd1fbacb82ebc8f1174f867b3f256fa927acd4cb8806a77a8b5');
INSERT INTO "events" VALUES(5,'2026-03-02T08:00:42.000Z','sale_opened','{"sale":"5afe0001-1","slot":"A1","product":"Water","price":180,"currency":"EUR","minimum_age":0,"test":false}','89ca9ea565f73796e4bb9b42827043f7eaaa5d907a4f2be62617d5692f3f8154');
INSERT INTO "events" VALUES(6,'2026-03-02T08:00:49.000Z','payment_requested','{"sale":"5afe0001-1","transaction":"5afe0001-1-1","amount":180}','0cd2815d64016eb7238e88b52278284195b64ca66d3219a8eb6bd61d3bfa2104');
INSERT INTO "events" VALUES(7,'2026-03-02T08:00:56.000Z','payment_approved','{"sale":"5afe0001-1","transaction":"5afe0001-1-1","amount":180,"reference":"SIM000001"}','83b1dd6f73819456ecbf82123d54ca053ecabe837717c5d70d77c6d5c6d41c4b');
INSERT INTO "events" VALUES(8,'2026-03-02T08:01:03.000Z','vend_requested','{"sale":"5afe0001-1","slot":"A1"}','6be862c51267fc0a65626d1b7fa23366ec981339ea59fb8cd93d79a6c9ac4333');
INSERT INTO "events" VALUES(9,'2026-03-02T08:01:10.000Z','vend_succeeded','{"sale":"5afe0001-1","slot":"A1"}','d8b15ef07ec16b66f158c429406f7398d6bcfb81717ab6acc34b4dc1e2311ce2');
INSERT INTO "events" VALUES(10,'2026-03-02T08:01:17.000Z','payment_settled','{"sale":"5afe0001-1","transaction":"5afe0001-1-1"}','e48d7ff6229e5875ed242bfdf8e42cc07927998ff74a64cc598a7aba601aa479');
INSERT INTO "events" VALUES(11,'2026-03-02T08:01:24.000Z','sale_closed','{"sale":"5afe0001-1","outcome":"sold"}','3f6fd5fc82dc49d1dcbd329ddb746eeda0ac9eebd5eb660498ef828e81001e87');
INSERT INTO "events" VALUES(12,'2026-03-02T08:01:31.000Z','sale_opened','{"sale":"5afe0001-2","slot":"B1","product":"Beer","price":350,"currency":"EUR","minimum_age":16,"test":false}','adf0c3efa47edf96b7a934540023248695367dc089a7f4f06aa45eae89a86bc9');
INSERT INTO "events" VALUES(13,'2026-03-02T08:01:38.000Z','age_cleared','{"sale":"5afe0001-2","result":"id_confirmed","by":"reader"}','60b30388cf8ced938180d596ef6ae3a1d60e9886df99bd4a6e0591c1ca55d682');
INSERT INTO "events" VALUES(14,'2026-03-02T08:01:45.000Z','payment_requested','{"sale":"5afe0001-2","transaction":"5afe0001-2-1","amount":350}','8c30d687d0a768385397a058b2faa0d97fc76912318067a3036aa53b7b238192');
INSERT INTO "events" VALUES(15,'2026-03-02T08:01:52.000Z','payment_approved','{"sale":"5afe0001-2","transaction":"5afe0001-2-1","amount":350,"reference":"SIM000002"}','bf40995f75064ea6a46f49c918d59d591632fbcdd9b539a1eed12cd951087be3');
INSERT INTO "events" VALUES(16,'2026-03-02T08:01:59.000Z','vend_requested','{"sale":"5afe0001-2","slot":"B1"}','671fde3071b7ace8dbb26ec492175197cb9ebd5b1a5ba59e3b6cb01f95e69c6c');
INSERT INTO "events" VALUES(17,'2026-03-02T08:02:06.000Z','vend_succeeded','{"sale":"5afe0001-2","slot":"B1"}','69ba121c1257c1b63f2ff819d6ff7c127d31ba496ebbe088ebae00d06489c4c8');
INSERT INTO "events" VALUES(18,'2026-03-02T08:02:13.000Z','payment_settled','{"sale":"5afe0001-2","transaction":"5afe0001-2-1"}','dae065b1742e95b090549d9a41aacbe36f555b5a9107c86ecb3fdd26ea1f3572');
INSERT INTO "events" VALUES(19,'2026-03-02T08:02:20.000Z','sale_closed','{"sale":"5afe0001-2","outcome":"sold"}','cab2568da57fcd2f1a8118f3298ec69391114c578afcd3abcf20cfb0872e4222');
INSERT INTO "events" VALUES(20,'2026-03-02T08:02:27.000Z','sale_opened','{"sale":"5afe0001-3","slot":"A1","product":"Water","price":180,"currency":"EUR","minimum_age":0,"test":false}','43a8efeff53de401f5be7e8a802691539ae18c63cd0665277e3b6113e34d9732');
INSERT INTO "events" VALUES(21,'2026-03-02T08:02:34.000Z','payment_requested','{"sale":"5afe0001-3","transaction":"5afe0001-3-1","amount":180}','6cd893bdb95de9d42d74ee0326110cb3d990c6a4235bf0579c49e6ef752881ba');
INSERT INTO "events" VALUES(22,'2026-03-02T08:02:41.000Z','payment_declined','{"sale":"5afe0001-3","transaction":"5afe0001-3-1","reason":"card"}','3e2281f60f32b46f3f1253680c2c9d828e9fa9de256375d8ab91e4e0879b3aae');
INSERT INTO "events" VALUES(23,'2026-03-02T08:02:48.000Z','sale_closed','{"sale":"5afe0001-3","outcome":"cancelled"}','a4083823c15af24b692aac227c3cb98ef2d4129225ba94f5153cd64489c64a4b');
INSERT INTO "events" VALUES(24,'2026-03-02T08:02:55.000Z','sale_opened','{"sale":"5afe0001-4","slot":"A1","product":"Water","price":180,"currency":"EUR","minimum_age":0,"test":false}','2d46e127c5a0927ce535b32520ba5083285b601bab33aea8747a15064cfab927');
INSERT INTO "events" VALUES(25,'2026-03-02T08:03:02.000Z','payment_requested','{"sale":"5afe0001-4","transaction":"5afe0001-4-1","amount":180}','71abce9370c162b40b5a14ee03a0a95988c91bad6035d821ee7e1a38f9701341');
INSERT INTO "events" VALUES(26,'2026-03-02T08:03:09.000Z','payment_approved','{"sale":"5afe0001-4","transaction":"5afe0001-4-1","amount":180,"reference":"SIM000004"}','5655491958feb52d3b133b32c2b32722a79e844819b4bc9fe8ef61e9a7374e06');
INSERT INTO "events" VALUES(27,'2026-03-02T08:03:16.000Z','vend_requested','{"sale":"5afe0001-4","slot":"A1"}','ea88911455145644f9b39e1ff9364a722670070e549226cf0b8365ccc0d49355');
INSERT INTO "events" VALUES(28,'2026-03-02T08:03:23.000Z','vend_failed','{"sale":"5afe0001-4","slot":"A1","reason":"jam"}','67569950c30226ae938982ed3015c05d5f400641ae14c0c465b61f2911d5b069');
INSERT INTO "events" VALUES(29,'2026-03-02T08:03:30.000Z','payment_reversed','{"sale":"5afe0001-4","transaction":"5afe0001-4-1"}','c3fbb45653973116178bb12f12d4f22096f9466fae4f6e28d0bcde2a0801e6e6');
INSERT INTO "events" VALUES(30,'2026-03-02T08:03:37.000Z','sale_closed','{"sale":"5afe0001-4","outcome":"refunded"}','f5ab23961badbb127d4ef991b462cbd2c800ae0d08447d392d80ec2f35ce10fc');
INSERT INTO "events" VALUES(31,'2026-03-02T08:03:44.000Z','price_set','{"slot":"A1","price":200,"instead_of":180,"currency":"EUR"}','95d410bcf2dfb433e9bc6a5adb68efa26e95abdda841c11ac54bc073b206825e');
INSERT INTO "events" VALUES(32,'2026-03-02T08:03:51.000Z','stock_set','{"slot":"A1","count":5,"reason":"refill"}','963aec0a9e0a93e4374ff33f23e2398fa5c86c46df951cb77354fce683eaee22');
INSERT INTO "events" VALUES(33,'2026-03-02T08:03:58.000Z','sale_opened','{"sale":"5afe0001-5","slot":"A1","product":"Water","price":0,"currency":"EUR","minimum_age":0,"test":true}','39a608df4c272cfd1fc34eea908ea309aa3eae46b2c717233df68c86337da2e0');
INSERT INTO "events" VALUES(34,'2026-03-02T08:04:05.000Z','vend_requested','{"sale":"5afe0001-5","slot":"A1"}','2da3f0c46ca35250573b3f5f905290f385767d73f928c088055d5d7db1235a8c');
INSERT INTO "events" VALUES(35,'2026-03-02T08:04:12.000Z','vend_succeeded','{"sale":"5afe0001-5","slot":"A1"}','6bbf872c12f0cefc00ad363f7e27b98f6520d3cddc8e5b0117ebff99a0272643');
INSERT INTO "events" VALUES(36,'2026-03-02T08:04:19.000Z','sale_opened','{"sale":"5afe0001-6","slot":"","product":"","price":100,"currency":"EUR","minimum_age":0,"test":true}','b68fc870d33ae249e58a926c962729a70d61200c3cba587fbba5d9b9c9005eae');
INSERT INTO "events" VALUES(37,'2026-03-02T08:04:26.000Z','payment_requested','{"sale":"5afe0001-6","transaction":"5afe0001-6-1","amount":100}','c8028df05517b63948547d63dc4a2213be7c29cc5e67363773d309d8aba79872');
INSERT INTO "events" VALUES(38,'2026-03-02T08:04:33.000Z','sale_closed','{"sale":"5afe0001-5","outcome":"test"}','0703af116acd3c0b80d844c9aa6ab990e515122235057c92dc388d60e2e78639');
INSERT INTO "events" VALUES(39,'2026-03-02T08:04:40.000Z','payment_approved','{"sale":"5afe0001-6","transaction":"5afe0001-6-1","amount":100,"reference":"SIM000005"}','21c81cee9f4fef14fc3af4f7d41abe4895c56dcda3e900e1b92f9f90957b72a1');
INSERT INTO "events" VALUES(40,'2026-03-02T08:04:47.000Z','reversal_requested','{"sale":"5afe0001-6","transaction":"5afe0001-6-1","reason":"test"}','baab1121d7ad3ca0b8b5eb5b1965abd3a1cce5bbb77a2c380b5b52e13dcd98a7');
INSERT INTO "events" VALUES(41,'2026-03-02T08:04:54.000Z','payment_reversed','{"sale":"5afe0001-6","transaction":"5afe0001-6-1"}','27379664515fcc15367999ccb23730c51dc54cc102983bd0d918b979812f3b3a');
INSERT INTO "events" VALUES(42,'2026-03-02T08:05:01.000Z','sale_closed','{"sale":"5afe0001-6","outcome":"test"}','b241dda014f2949f4746ed5606dfae7e93985e75a6eb17338765f653cc8a3cc6');
INSERT INTO "events" VALUES(43,'2026-03-02T08:05:08.000Z','sale_opened','{"sale":"5afe0001-7","slot":"B2","product":"Wine","price":990,"currency":"EUR","minimum_age":18,"test":false}','90fa931e5fe3405d0ee15abc126dd20e9ce2fc7b400a2cb233a2cadfb7fc5bfa');
INSERT INTO "events" VALUES(44,'2026-03-02T08:05:15.000Z','age_cleared','{"sale":"5afe0001-7","result":"id_confirmed","by":"reader"}','261de767ae9f7af092c1ace5c4e674af12a02b26b5fac2f5eaa56c8fd9de3c82');
INSERT INTO "events" VALUES(45,'2026-03-02T08:05:22.000Z','payment_requested','{"sale":"5afe0001-7","transaction":"5afe0001-7-1","amount":990}','a68d9b4318d184dc67c3c87d5e956655fc451b4b70f4070179a28f5a1720ec1a');
INSERT INTO "events" VALUES(46,'2026-03-02T08:05:29.000Z','payment_approved','{"sale":"5afe0001-7","transaction":"5afe0001-7-1","amount":990,"reference":"SIM000006"}','73d1fc753bfd70a3b70ac1bb12fecc2a1d785005c10637f51453156d2c05146a');
INSERT INTO "events" VALUES(47,'2026-03-02T08:05:36.000Z','vend_requested','{"sale":"5afe0001-7","slot":"B2"}','5e2aaface03d222fbef875326764309e02d21707c904f6932522380811dbf089');
INSERT INTO "events" VALUES(48,'2026-03-02T08:05:43.000Z','vend_unknown','{"sale":"5afe0001-7","slot":"B2","reason":"silent"}','ac2bdeb586a899a0e5595da256ec8f95b4b5cc3e6bb367aaad2bbf8068bd538e');
INSERT INTO "events" VALUES(49,'2026-03-02T08:05:50.000Z','payment_reversed','{"sale":"5afe0001-7","transaction":"5afe0001-7-1"}','f0e1658424cdf7194162869ec5c00c077055513633ad8d364b551e65953fb0ce');
INSERT INTO "events" VALUES(50,'2026-03-02T08:05:57.000Z','sale_closed','{"sale":"5afe0001-7","outcome":"in_doubt"}','b41cb6a07e42a2d6ac63e555da1c2158320f2bb753bb2b13b9198f4cd3a46991');
INSERT INTO "events" VALUES(51,'2026-03-02T08:06:04.000Z','setting_changed','{"name":"volume","value":"40"}','d472f642b92c9405cfbc1158e5768637dad7c7cd7041808935c7b224da21f820');
INSERT INTO "events" VALUES(52,'2026-03-02T08:06:11.000Z','sale_opened','{"sale":"5afe0001-8","slot":"A1","product":"Water","price":200,"currency":"EUR","minimum_age":0,"test":false}','9c0adc1ddc1b7fba74393b9f7abfb2b3a4cc1d0d611260d035c7cbc0bcfb8fe0');
INSERT INTO "events" VALUES(53,'2026-03-02T08:06:18.000Z','payment_requested','{"sale":"5afe0001-8","transaction":"5afe0001-8-1","amount":200}','172cd14e997210141af4a744e7b08a96207378c484cc02754399382eac6e0ece');
INSERT INTO "events" VALUES(54,'2026-03-02T08:06:25.000Z','payment_approved','{"sale":"5afe0001-8","transaction":"5afe0001-8-1","amount":200,"reference":"SIM000007"}','a0bbc6c699ea1637549bbc717faaae833859e13bd8bffd7de40b2d35be00ee8d');
CREATE TABLE head (seq INTEGER NOT NULL, hash TEXT NOT NULL);
INSERT INTO "head" VALUES(54,'a0bbc6c699ea1637549bbc717faaae833859e13bd8bffd7de40b2d35be00ee8d');
CREATE TABLE journal (id TEXT NOT NULL, created TEXT NOT NULL);
INSERT INTO "journal" VALUES('5afe0001','2026-03-02T08:00:07+00:00');
CREATE TRIGGER events_in_order BEFORE INSERT ON events WHEN NEW.seq IS NOT (SELECT seq + 1 FROM head)
        BEGIN SELECT RAISE(ABORT, 'the journal is appended to in order'); END;
CREATE TRIGGER events_counted AFTER INSERT ON events BEGIN UPDATE head SET seq = NEW.seq, hash = NEW.hash; END;
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
COMMIT;
PRAGMA user_version = 1;
