BEGIN TRANSACTION;
CREATE TABLE events (
        seq INTEGER PRIMARY KEY,
        utc TEXT NOT NULL,
        kind TEXT NOT NULL,
        data TEXT NOT NULL,
        hash TEXT NOT NULL
    );
INSERT INTO "events" VALUES(1,'2026-03-02T08:00:14.000Z','machine_started','{"version":""}','bd0ab1787629731a2273eb79ba238ce8a2364d11b8b538b81fd9f94e654a44dd');
INSERT INTO "events" VALUES(2,'2026-03-02T08:00:21.000Z','stock_set','{"slot":"A1","count":3,"reason":"initial"}','62fcda59fcbc72087bdcaa650fe07c3808887cf02b92d423bf5d853d9869a798');
INSERT INTO "events" VALUES(3,'2026-03-02T08:00:28.000Z','stock_set','{"slot":"B1","count":3,"reason":"initial"}','06dab4f170312bf8254f0ac2826708c769249c084f83905a81fa9a8b0c69dd8d');
INSERT INTO "events" VALUES(4,'2026-03-02T08:00:35.000Z','stock_set','{"slot":"B2","count":3,"reason":"initial"}','a422fa08731230d3bd4accbfd17a474d26e9099192474a907381acfcfe6b0459');
INSERT INTO "events" VALUES(5,'2026-03-02T08:00:42.000Z','sale_opened','{"sale":"c8da8162-1","slot":"A1","product":"Water","price":180,"currency":"EUR","minimum_age":0,"test":false}','1623f10eabd8634abba357d44d55de1488f5d5e5601151da5c17f88cb4cdd001');
INSERT INTO "events" VALUES(6,'2026-03-02T08:00:49.000Z','payment_requested','{"sale":"c8da8162-1","transaction":"c8da8162-1-1","amount":180}','d8f54f3dc1fef0265e8064894be5645a22b9cfe4cc248e02cb56ca635f1bb3a5');
INSERT INTO "events" VALUES(7,'2026-03-02T08:00:56.000Z','payment_approved','{"sale":"c8da8162-1","transaction":"c8da8162-1-1","amount":180,"reference":"SIM000001"}','10973b258ebcafddf458e9139daa2598ef8b8f5f563e6a967c2fb6cae0b19187');
INSERT INTO "events" VALUES(8,'2026-03-02T08:01:03.000Z','vend_requested','{"sale":"c8da8162-1","slot":"A1"}','009c49e142fc0cd0ddfd7bda185f693771595bb3a30b4f24798b0cbc176d8200');
INSERT INTO "events" VALUES(9,'2026-03-02T08:01:10.000Z','vend_succeeded','{"sale":"c8da8162-1","slot":"A1"}','db30f908ba99738225ffcf9a3f62c7a4a90688423df5d8058c3b30ad814c6cf7');
INSERT INTO "events" VALUES(10,'2026-03-02T08:01:17.000Z','payment_settled','{"sale":"c8da8162-1","transaction":"c8da8162-1-1"}','0d57c79f5d5944c73f640723d4fdf01ac18305f1f2845fb0e074cf88a7914608');
INSERT INTO "events" VALUES(11,'2026-03-02T08:01:24.000Z','sale_closed','{"sale":"c8da8162-1","outcome":"sold"}','e5aa85d4247f44fb49521c727e20f66b2c3521aa3519dbf37c69e6c23d50b4b6');
INSERT INTO "events" VALUES(12,'2026-03-02T08:01:31.000Z','sale_opened','{"sale":"c8da8162-2","slot":"B1","product":"Beer","price":350,"currency":"EUR","minimum_age":16,"test":false}','d6bc856ae5e5ac14db4a82bebde411fbc81a254671c27b268112d5dafdd34d65');
INSERT INTO "events" VALUES(13,'2026-03-02T08:01:38.000Z','age_cleared','{"sale":"c8da8162-2","result":"id_confirmed","by":"reader"}','41f231c9198bf6ea15bd0ebebabc2d68e810592b23abba60796fd35e1db4be65');
INSERT INTO "events" VALUES(14,'2026-03-02T08:01:45.000Z','payment_requested','{"sale":"c8da8162-2","transaction":"c8da8162-2-1","amount":350}','a4418ccb73b0bb5e3aab87f5d01cf6cc5d7532e260a0b975fdcd2e2aed57d785');
INSERT INTO "events" VALUES(15,'2026-03-02T08:01:52.000Z','payment_approved','{"sale":"c8da8162-2","transaction":"c8da8162-2-1","amount":350,"reference":"SIM000002"}','c19e96083a12d02c62da40fc53ff63273c7655b2fbf8063b525465fd5af8b8d1');
INSERT INTO "events" VALUES(16,'2026-03-02T08:01:59.000Z','vend_requested','{"sale":"c8da8162-2","slot":"B1"}','1807b05b822b3c4dcd73c7753bc5b0cc75272ba34be4e358050dd53a2bbf98bf');
INSERT INTO "events" VALUES(17,'2026-03-02T08:02:06.000Z','vend_succeeded','{"sale":"c8da8162-2","slot":"B1"}','7948db716237fc3209758f3548fc094b430daf4b402bea22197286973190b3a3');
INSERT INTO "events" VALUES(18,'2026-03-02T08:02:13.000Z','payment_settled','{"sale":"c8da8162-2","transaction":"c8da8162-2-1"}','692f128d89b0cb5c087c5511aca19ae13c4f7514986df6d5814df16ed9739526');
INSERT INTO "events" VALUES(19,'2026-03-02T08:02:20.000Z','sale_closed','{"sale":"c8da8162-2","outcome":"sold"}','3156270150a2b3951f33f6af0d138b00123f17a131cdc2486ce1c5b0bab30396');
INSERT INTO "events" VALUES(20,'2026-03-02T08:02:27.000Z','sale_opened','{"sale":"c8da8162-3","slot":"A1","product":"Water","price":180,"currency":"EUR","minimum_age":0,"test":false}','0fa45c9a494d70fdc8dbd9f7bc5c705fa1ec59ba85ef90727206aa91553e28dd');
INSERT INTO "events" VALUES(21,'2026-03-02T08:02:34.000Z','payment_requested','{"sale":"c8da8162-3","transaction":"c8da8162-3-1","amount":180}','f372a92d410755f9960a092d64327587c0592ef6d0d0363bf633ed64609c3043');
INSERT INTO "events" VALUES(22,'2026-03-02T08:02:41.000Z','payment_declined','{"sale":"c8da8162-3","transaction":"c8da8162-3-1","reason":"card"}','87022f28428ebcbb0141638e9fcfb832f997f48e7878cf2aa8b21d8b2ababae4');
INSERT INTO "events" VALUES(23,'2026-03-02T08:02:48.000Z','checkpoint','{"layout":1,"ledger":{"opened":3,"sales":{"c8da8162-3":{"id":"c8da8162-3","slot":"A1","product":"Water","price":180,"currency":"EUR","minimum_age":0,"test":false,"age":null,"goods":"kept","attempts":1,"charged":false}},"transactions":{},"settled":["c8da8162-1-1","c8da8162-2-1"],"slots":{"A1":{"count":2,"blocked":false},"B1":{"count":2,"blocked":false},"B2":{"count":3,"blocked":false}},"prices":{},"doubts":{}}}','16dbb329009800ca3584d5f573804bcf4a8c7dc89d1804e8405146fcc9faa4b9');
INSERT INTO "events" VALUES(24,'2026-03-02T08:02:55.000Z','sale_closed','{"sale":"c8da8162-3","outcome":"cancelled"}','742871de191975b0b9841e533d68062b0c928616dafcd6647548b4491409b520');
INSERT INTO "events" VALUES(25,'2026-03-02T08:03:02.000Z','sale_opened','{"sale":"c8da8162-4","slot":"A1","product":"Water","price":180,"currency":"EUR","minimum_age":0,"test":false}','693550a30ffa7400882ec83d5701c683c4323276e86d834102216041bbd2a5aa');
INSERT INTO "events" VALUES(26,'2026-03-02T08:03:09.000Z','payment_requested','{"sale":"c8da8162-4","transaction":"c8da8162-4-1","amount":180}','88766b9f5aa7679f8884409102d27517612dd15b3fb28ccc906f76fafbfb3cbd');
INSERT INTO "events" VALUES(27,'2026-03-02T08:03:16.000Z','payment_approved','{"sale":"c8da8162-4","transaction":"c8da8162-4-1","amount":180,"reference":"SIM000004"}','17f77d12a4e94fdf9e249808b0d36eab813cd10550431f535343f7c8673e7206');
INSERT INTO "events" VALUES(28,'2026-03-02T08:03:23.000Z','vend_requested','{"sale":"c8da8162-4","slot":"A1"}','fd3b29d0b3f5a906ef8ea94154d4e7bcad008b13ed77c7f2ce664a61034182ef');
INSERT INTO "events" VALUES(29,'2026-03-02T08:03:30.000Z','vend_failed','{"sale":"c8da8162-4","slot":"A1","reason":"jam"}','7dfbd28692b4d6af97f069d34a3f890c9d425d2a67ee6c25f0230a6a06ab09d7');
INSERT INTO "events" VALUES(30,'2026-03-02T08:03:37.000Z','payment_reversed','{"sale":"c8da8162-4","transaction":"c8da8162-4-1"}','ab6904dc7f8592c78aece531a39f3a428363a72f64330fbcd141388ead9f788d');
INSERT INTO "events" VALUES(31,'2026-03-02T08:03:44.000Z','sale_closed','{"sale":"c8da8162-4","outcome":"refunded"}','e6c8a1de0f37ab22b32a4832247c0418fddea9cec4ef7d69e615f00608cb0e7f');
INSERT INTO "events" VALUES(32,'2026-03-02T08:03:51.000Z','price_set','{"slot":"A1","price":200,"instead_of":180,"currency":"EUR"}','a3f347d94283a7fda5f5c1851407be2240d45ae4b397ee2d193cce1e07e9d120');
INSERT INTO "events" VALUES(33,'2026-03-02T08:03:58.000Z','stock_set','{"slot":"A1","count":5,"reason":"refill"}','3ef184241134268464557ac259231c1e5bc9750f1f81b0af58d0b4841bb16081');
INSERT INTO "events" VALUES(34,'2026-03-02T08:04:05.000Z','sale_opened','{"sale":"c8da8162-5","slot":"A1","product":"Water","price":0,"currency":"EUR","minimum_age":0,"test":true}','9d69db33b0297edacdd036a63570b1837aece4ed984023fef092e7a4ea32c713');
INSERT INTO "events" VALUES(35,'2026-03-02T08:04:12.000Z','vend_requested','{"sale":"c8da8162-5","slot":"A1"}','54b9cc56b0b1cfcb45c68df6bf14024cfce3294946ce8a46d580d0c2f03b40f6');
INSERT INTO "events" VALUES(36,'2026-03-02T08:04:19.000Z','vend_succeeded','{"sale":"c8da8162-5","slot":"A1"}','d6e765a0af12c9c41aefcfa940373fdf356ed9ed0a0df027e4dd1b7cff678e96');
INSERT INTO "events" VALUES(37,'2026-03-02T08:04:26.000Z','sale_opened','{"sale":"c8da8162-6","slot":"","product":"","price":100,"currency":"EUR","minimum_age":0,"test":true}','365ee0ad9cc664eb620b2b1ed31185931c5bdb9bfe630cee1d0b3a15606a65a5');
INSERT INTO "events" VALUES(38,'2026-03-02T08:04:33.000Z','payment_requested','{"sale":"c8da8162-6","transaction":"c8da8162-6-1","amount":100}','d7b09a70ad5ca150e43c3c7bbe692dad42df205fb62bb879df10f8bf1988a62d');
INSERT INTO "events" VALUES(39,'2026-03-02T08:04:40.000Z','sale_closed','{"sale":"c8da8162-5","outcome":"test"}','1d0b4152524c8b2ed941e5c706bc8b19e74383d211a32ea5ae335e438bb4652e');
INSERT INTO "events" VALUES(40,'2026-03-02T08:04:47.000Z','payment_approved','{"sale":"c8da8162-6","transaction":"c8da8162-6-1","amount":100,"reference":"SIM000005"}','753e79032065e64f434b0b683eec14e1520b319c829380b4db2635475df742f5');
INSERT INTO "events" VALUES(41,'2026-03-02T08:04:54.000Z','reversal_requested','{"sale":"c8da8162-6","transaction":"c8da8162-6-1","reason":"test"}','58b11e1d5f4f04cfaf3722b399d5cda31cb3438bcf740b713f7b4eec718e14e1');
INSERT INTO "events" VALUES(42,'2026-03-02T08:05:01.000Z','payment_reversed','{"sale":"c8da8162-6","transaction":"c8da8162-6-1"}','e0ff487cf2bbe61d8871c32c1845aa0f8ca43b7d9e3914a4551b0af4aea4bc08');
INSERT INTO "events" VALUES(43,'2026-03-02T08:05:08.000Z','setting_changed','{"name":"volume","value":"40"}','cedbeeed6bf2ba828ec348a7ad63e57f4bd7c13da13dac0c21bc7377a1058e77');
INSERT INTO "events" VALUES(44,'2026-03-02T08:05:15.000Z','sale_closed','{"sale":"c8da8162-6","outcome":"test"}','f0323f7db0186ea331902c6325b38ca0efabae9c03951506f52aa2c504d82d09');
INSERT INTO "events" VALUES(45,'2026-03-02T08:05:22.000Z','checkpoint','{"layout":1,"ledger":{"opened":6,"sales":{},"transactions":{},"settled":["c8da8162-1-1","c8da8162-2-1"],"slots":{"A1":{"count":4,"blocked":false},"B1":{"count":2,"blocked":false},"B2":{"count":3,"blocked":false}},"prices":{"A1":{"slot":"A1","price":200,"instead_of":180,"currency":"EUR"}},"doubts":{}}}','7c65f0aeb5184050ca6930ead8b8a2f6866f2737f9cd5295e451e01538079ec2');
INSERT INTO "events" VALUES(46,'2026-03-02T08:05:29.000Z','pin_refused','{"role":"service","sale":"","locked_s":30}','3316583ab12bd709a03ca813ce6e46bd50831329d68608f01fcc7d13e504acd0');
INSERT INTO "events" VALUES(47,'2026-03-02T08:05:36.000Z','sale_opened','{"sale":"c8da8162-7","slot":"B2","product":"Wine","price":990,"currency":"EUR","minimum_age":18,"test":false}','1b07b8d7388795159b3d6a1e4b01f1c7ea4e7b5ab3cba039923cd91464a26680');
INSERT INTO "events" VALUES(48,'2026-03-02T08:05:43.000Z','age_cleared','{"sale":"c8da8162-7","result":"id_confirmed","by":"reader"}','5bda63b1c46cfefe33513efcff02d206a049301aa4bc72aba2988af43bbbb88e');
INSERT INTO "events" VALUES(49,'2026-03-02T08:05:50.000Z','payment_requested','{"sale":"c8da8162-7","transaction":"c8da8162-7-1","amount":990}','9af8c1db0c388d6690e65eace3e878495864fe5ecf3281086dafe062d4409d47');
INSERT INTO "events" VALUES(50,'2026-03-02T08:05:57.000Z','payment_approved','{"sale":"c8da8162-7","transaction":"c8da8162-7-1","amount":990,"reference":"SIM000006"}','bd6908ea28c340c0378b248b7eacf5b64f9c8c90a3e7161ee32bc21ed004852d');
INSERT INTO "events" VALUES(51,'2026-03-02T08:06:04.000Z','vend_requested','{"sale":"c8da8162-7","slot":"B2"}','4a533db7ab044c5ce15790a9a0cb3b7dcdc8eac60a01046dface77f8504813f4');
INSERT INTO "events" VALUES(52,'2026-03-02T08:06:11.000Z','vend_unknown','{"sale":"c8da8162-7","slot":"B2","reason":"silent"}','a5c38b5d09a0dcec67ab33f587d98ad0b457674e0b32c6aa1d2a2857bab02174');
INSERT INTO "events" VALUES(53,'2026-03-02T08:06:18.000Z','payment_reversed','{"sale":"c8da8162-7","transaction":"c8da8162-7-1"}','8670dc29aea79025e484f0f3dad0420c9f3200508c8b82a63920fd3dcf17b8c3');
INSERT INTO "events" VALUES(54,'2026-03-02T08:06:25.000Z','sale_closed','{"sale":"c8da8162-7","outcome":"in_doubt"}','e329cf51e22266c1e220fe7dbc0d9629f07dadaa24742667ccc9300d0049880f');
INSERT INTO "events" VALUES(55,'2026-03-02T08:06:32.000Z','sale_opened','{"sale":"c8da8162-8","slot":"A1","product":"Water","price":200,"currency":"EUR","minimum_age":0,"test":false}','a45bdfdbb98bb25cb33cf4ec2a9db766f1c3b1aa226a219131fa4b55c73aa559');
INSERT INTO "events" VALUES(56,'2026-03-02T08:06:39.000Z','payment_requested','{"sale":"c8da8162-8","transaction":"c8da8162-8-1","amount":200}','75c5d10f4436e6d241b0a0392744a6e6efa0a38d09740a2ad947f8b6d8eed5f3');
INSERT INTO "events" VALUES(57,'2026-03-02T08:06:46.000Z','payment_approved','{"sale":"c8da8162-8","transaction":"c8da8162-8-1","amount":200,"reference":"SIM000007"}','0e1bb2002f6e7ac285e09cf65a040e0b9ec32f3f6bbfdf7c32579a983fdcc9a4');
CREATE TABLE head (seq INTEGER NOT NULL, hash TEXT NOT NULL);
INSERT INTO "head" VALUES(57,'0e1bb2002f6e7ac285e09cf65a040e0b9ec32f3f6bbfdf7c32579a983fdcc9a4');
CREATE TABLE journal (id TEXT NOT NULL, created TEXT NOT NULL);
INSERT INTO "journal" VALUES('c8da8162','2026-03-02T08:00:07+00:00');
CREATE TRIGGER events_in_order BEFORE INSERT ON events WHEN NEW.seq IS NOT (SELECT seq + 1 FROM head)
        BEGIN SELECT RAISE(ABORT, 'the journal is appended to in order'); END;
CREATE TRIGGER events_counted AFTER INSERT ON events BEGIN UPDATE head SET seq = NEW.seq, hash = NEW.hash; END;
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
COMMIT;
PRAGMA user_version = 2;
