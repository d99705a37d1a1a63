<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>DemoControls</name>
    <message>
        <source>Payment</source>
        <translation>付款</translation>
    </message>
    <message>
        <source>Approve</source>
        <translation>批准</translation>
    </message>
    <message>
        <source>Decline</source>
        <translation>拒绝</translation>
    </message>
    <message>
        <source>Cancel at reader</source>
        <translation>在读卡器上取消</translation>
    </message>
    <message>
        <source>No card comes</source>
        <translation>无人刷卡</translation>
    </message>
    <message>
        <source>Answer twice</source>
        <translation>回答两次</translation>
    </message>
    <message>
        <source>Stop answering</source>
        <translation>停止响应</translation>
    </message>
    <message>
        <source>Next payment</source>
        <translation>下一次付款</translation>
    </message>
    <message>
        <source>Late approval</source>
        <translation>迟到的批准</translation>
    </message>
    <message>
        <source>Decline it</source>
        <translation>拒绝</translation>
    </message>
    <message>
        <source>Approve, reply lost</source>
        <translation>批准但回复丢失</translation>
    </message>
    <message>
        <source>Goods</source>
        <translation>商品</translation>
    </message>
    <message>
        <source>Drop</source>
        <translation>掉落</translation>
    </message>
    <message>
        <source>Jam</source>
        <translation>卡住</translation>
    </message>
    <message>
        <source>Drop nothing</source>
        <translation>什么也不掉</translation>
    </message>
    <message>
        <source>Next vend</source>
        <translation>下一次出货</translation>
    </message>
    <message>
        <source>Jam it</source>
        <translation>卡住</translation>
    </message>
    <message>
        <source>Nothing falls</source>
        <translation>没有掉落</translation>
    </message>
    <message>
        <source>No answer</source>
        <translation>没有回答</translation>
    </message>
    <message>
        <source>ID reader</source>
        <translation>证件读卡器</translation>
    </message>
    <message>
        <source>ID of 40 years</source>
        <translation>40 岁的证件</translation>
    </message>
    <message>
        <source>ID of 15 years</source>
        <translation>15 岁的证件</translation>
    </message>
    <message>
        <source>Cables</source>
        <translation>线缆</translation>
    </message>
    <message>
        <source>Pull terminal</source>
        <translation>拔下终端</translation>
    </message>
    <message>
        <source>Plug terminal</source>
        <translation>插上终端</translation>
    </message>
    <message>
        <source>Pull dispenser</source>
        <translation>拔下出货机</translation>
    </message>
    <message>
        <source>Plug dispenser</source>
        <translation>插上出货机</translation>
    </message>
</context>
<context>
    <name>DemoStrings</name>
    <message>
        <source>FacialNet Kiosk: controls of the simulation</source>
        <translation>FacialNet Kiosk：模拟控制</translation>
    </message>
    <message>
        <source>Simulation</source>
        <translation>模拟</translation>
    </message>
    <message>
        <source>No real money, no real goods. Staff PIN {attendant}; service PIN {service}, after five taps in the shop's upper left corner.</source>
        <translation>没有真实的钱，也没有真实的商品。店员 PIN {attendant}；维护 PIN {service}（先在售货窗口左上角点五下）。</translation>
    </message>
    <message>
        <source>Automatic: on</source>
        <translation>自动：开</translation>
    </message>
    <message>
        <source>Automatic: off</source>
        <translation>自动：关</translation>
    </message>
    <message>
        <source>the terminal waits for you</source>
        <translation>终端在等您操作</translation>
    </message>
    <message>
        <source>the dispenser waits for you</source>
        <translation>出货机在等您操作</translation>
    </message>
    <message>
        <source>the ID reader waits for you</source>
        <translation>证件读卡器在等您操作</translation>
    </message>
    <message>
        <source>nothing is waiting</source>
        <translation>没有等待的操作</translation>
    </message>
    <message>
        <source>{phase}: {waits}</source>
        <translation>{phase}：{waits}</translation>
    </message>
    <message>
        <source>First screen</source>
        <translation>首屏</translation>
    </message>
    <message>
        <source>Products</source>
        <translation>商品列表</translation>
    </message>
    <message>
        <source>Product chosen</source>
        <translation>已选商品</translation>
    </message>
    <message>
        <source>Age check</source>
        <translation>年龄验证</translation>
    </message>
    <message>
        <source>ID requested</source>
        <translation>需要证件</translation>
    </message>
    <message>
        <source>ID refused</source>
        <translation>证件未通过</translation>
    </message>
    <message>
        <source>Payment</source>
        <translation>付款</translation>
    </message>
    <message>
        <source>Payment declined</source>
        <translation>付款被拒</translation>
    </message>
    <message>
        <source>Dispensing</source>
        <translation>正在出货</translation>
    </message>
    <message>
        <source>Refunding</source>
        <translation>正在退款</translation>
    </message>
    <message>
        <source>Receipt</source>
        <translation>收据</translation>
    </message>
    <message>
        <source>Out of order</source>
        <translation>暂停服务</translation>
    </message>
    <message>
        <source>Service</source>
        <translation>维护</translation>
    </message>
</context>
<context>
    <name>ServiceStrings</name>
    <message>
        <source>Service</source>
        <translation>维护</translation>
    </message>
    <message>
        <source>Service PIN</source>
        <translation>维护 PIN</translation>
    </message>
    <message>
        <source>Wrong PIN</source>
        <translation>PIN 错误</translation>
    </message>
    <message>
        <source>Next try in {seconds} s</source>
        <translation>{seconds} 秒后可重试</translation>
    </message>
    <message>
        <source>Please wait: a sale is ending</source>
        <translation>请等当前交易结束</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>返回</translation>
    </message>
    <message>
        <source>Back to the sale</source>
        <translation>返回售货</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>摄像头</translation>
    </message>
    <message>
        <source>Health</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Stock and prices</source>
        <translation>库存和价格</translation>
    </message>
    <message>
        <source>To settle ({count})</source>
        <translation>待处理 ({count})</translation>
    </message>
    <message>
        <source>To settle</source>
        <translation>待处理</translation>
    </message>
    <message>
        <source>Tests</source>
        <translation>测试</translation>
    </message>
    <message>
        <source>Journal of today</source>
        <translation>今日日志</translation>
    </message>
    <message>
        <source>Export to USB</source>
        <translation>导出到 USB</translation>
    </message>
    <message>
        <source>Machine</source>
        <translation>设备</translation>
    </message>
    <message>
        <source>known</source>
        <translation>已识别</translation>
    </message>
    <message>
        <source>estimating</source>
        <translation>估计中</translation>
    </message>
    <message>
        <source>unknown</source>
        <translation>未知</translation>
    </message>
    <message>
        <source>#{number} · {status} · {quality}%</source>
        <translation>#{number} · {status} · {quality}%</translation>
    </message>
    <message>
        <source>live</source>
        <translation>活体</translation>
    </message>
    <message>
        <source>not found live</source>
        <translation>未通过活体检测</translation>
    </message>
    <message>
        <source>no frames</source>
        <translation>没有图像</translation>
    </message>
    <message>
        <source>{fps} fps · {latency} ms</source>
        <translation>{fps} 帧/秒 · {latency} 毫秒</translation>
    </message>
    <message>
        <source>No picture</source>
        <translation>没有画面</translation>
    </message>
    <message>
        <source>Vision</source>
        <translation>视觉</translation>
    </message>
    <message>
        <source>starting</source>
        <translation>正在启动</translation>
    </message>
    <message>
        <source>running</source>
        <translation>运行中</translation>
    </message>
    <message>
        <source>no camera</source>
        <translation>没有摄像头</translation>
    </message>
    <message>
        <source>restarting</source>
        <translation>正在重启</translation>
    </message>
    <message>
        <source>ended</source>
        <translation>已结束</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>故障</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>帧率</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>推理引擎</translation>
    </message>
    <message>
        <source>Not saved: slot {slot} holds 0 to {capacity}</source>
        <translation>未保存：货道 {slot} 可放 0 到 {capacity} 件</translation>
    </message>
    <message>
        <source>Price not saved: it must be {least} to {most}</source>
        <translation>价格未保存：须在 {least} 到 {most} 之间</translation>
    </message>
    <message>
        <source>The journal cannot be used ({why}): check its disk and folder</source>
        <translation>日志无法使用（{why}）：请检查其磁盘和文件夹</translation>
    </message>
    <message>
        <source>The journal is damaged ({what}). The next start saves it and creates a new one.</source>
        <translation>日志已损坏（{what}）。下次启动时会保留旧日志并新建日志。</translation>
    </message>
    <message>
        <source>cancelled: nothing was written</source>
        <translation>已取消：未写入任何内容</translation>
    </message>
    <message>
        <source>Accuracy</source>
        <translation>准确率</translation>
    </message>
    <message>
        <source>gender {gender}%, age group {age}%, within one {near}% on {faces} faces of {measured_on}</source>
        <translation>性别 {gender}%，年龄组 {age}%，相差不超过一组 {near}%；{measured_on} 的 {faces} 张人脸</translation>
    </message>
    <message>
        <source>Terminal</source>
        <translation>支付终端</translation>
    </message>
    <message>
        <source>Dispenser</source>
        <translation>出货机</translation>
    </message>
    <message>
        <source>Journal</source>
        <translation>日志</translation>
    </message>
    <message>
        <source>Disk</source>
        <translation>磁盘</translation>
    </message>
    <message>
        <source>{gigabytes} GB free</source>
        <translation>剩余 {gigabytes} GB</translation>
    </message>
    <message>
        <source>connected</source>
        <translation>已连接</translation>
    </message>
    <message>
        <source>not connected</source>
        <translation>未连接</translation>
    </message>
    <message>
        <source>{said}, simulated</source>
        <translation>{said}，模拟</translation>
    </message>
    <message>
        <source>complete, last entry {head}</source>
        <translation>完整，末条 {head}</translation>
    </message>
    <message>
        <source>new journal, see “To settle”; last entry {head}</source>
        <translation>已新建，请查看待处理事项；末条 {head}</translation>
    </message>
    <message>
        <source>cannot be written: restart the machine</source>
        <translation>无法写入：请重启设备</translation>
    </message>
    <message>
        <source>Program</source>
        <translation>程序</translation>
    </message>
    <message>
        <source>not known yet</source>
        <translation>尚不清楚</translation>
    </message>
    <message>
        <source>blocked: count it</source>
        <translation>已锁定：请清点</translation>
    </message>
    <message>
        <source>{count} uncertain: count it</source>
        <translation>{count} 件不确定：请清点</translation>
    </message>
    <message>
        <source>{count} of {capacity}</source>
        <translation>{count} / {capacity}</translation>
    </message>
    <message>
        <source>In the slot</source>
        <translation>货道内数量</translation>
    </message>
    <message>
        <source>Price</source>
        <translation>价格</translation>
    </message>
    <message>
        <source>Full</source>
        <translation>装满</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Saved</source>
        <translation>已保存</translation>
    </message>
    <message>
        <source>Nothing has to be settled</source>
        <translation>没有待处理的事项</translation>
    </message>
    <message>
        <source>Sale {sale}, slot {slot}: did the product leave the machine?</source>
        <translation>交易 {sale}，货道 {slot}：商品出来了吗？</translation>
    </message>
    <message>
        <source>The dispenser later reported that it fell.</source>
        <translation>出货机后来报告商品已掉落。</translation>
    </message>
    <message>
        <source>The dispenser later reported that nothing fell.</source>
        <translation>出货机后来报告没有掉落。</translation>
    </message>
    <message>
        <source>Slot {slot} failed: clear it, then count it</source>
        <translation>货道 {slot} 故障：请先排除，再清点</translation>
    </message>
    <message>
        <source>Payment {item}: the terminal has not confirmed the end of {money}. Check the card company's list.</source>
        <translation>付款 {item}：终端未确认 {money} 已完成。请核对收单机构的记录。</translation>
    </message>
    <message>
        <source>It came out</source>
        <translation>已出来</translation>
    </message>
    <message>
        <source>It is still inside</source>
        <translation>还在里面</translation>
    </message>
    <message>
        <source>Settled by hand</source>
        <translation>已人工处理</translation>
    </message>
    <message>
        <source>Count the slot</source>
        <translation>清点货道</translation>
    </message>
    <message>
        <source>Slot {slot}: {name}</source>
        <translation>货道 {slot}：{name}</translation>
    </message>
    <message>
        <source>Previous slot</source>
        <translation>上一个货道</translation>
    </message>
    <message>
        <source>Next slot</source>
        <translation>下一个货道</translation>
    </message>
    <message>
        <source>Test vend</source>
        <translation>测试出货</translation>
    </message>
    <message>
        <source>Test payment of {money}</source>
        <translation>测试付款 {money}</translation>
    </message>
    <message>
        <source>A payment test gives the money back</source>
        <translation>测试付款会退还金额</translation>
    </message>
    <message>
        <source>Running…</source>
        <translation>进行中…</translation>
    </message>
    <message>
        <source>It worked</source>
        <translation>成功</translation>
    </message>
    <message>
        <source>It failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>正在读取…</translation>
    </message>
    <message>
        <source>Nothing yet today</source>
        <translation>今天还没有记录</translation>
    </message>
    <message>
        <source>{number} / {pages}</source>
        <translation>{number} / {pages}</translation>
    </message>
    <message>
        <source>No USB stick found under /media or /run/media</source>
        <translation>在 /media 或 /run/media 下未找到 U 盘</translation>
    </message>
    <message>
        <source>Where to?</source>
        <translation>写到哪里？</translation>
    </message>
    <message>
        <source>Checking the journal…</source>
        <translation>正在检查日志…</translation>
    </message>
    <message>
        <source>Writing… {percent}%</source>
        <translation>正在写入… {percent}%</translation>
    </message>
    <message>
        <source>Written: {files}. You can remove the stick.</source>
        <translation>已写入：{files}。可以拔下 U 盘了。</translation>
    </message>
    <message>
        <source>Not written (no space, or an error): {names}</source>
        <translation>因空间不足或出错而未写入：{names}</translation>
    </message>
    <message>
        <source>Not written: {why}</source>
        <translation>未写入：{why}</translation>
    </message>
    <message>
        <source>Volume</source>
        <translation>音量</translation>
    </message>
    <message>
        <source>Brightness</source>
        <translation>亮度</translation>
    </message>
    <message>
        <source>Out of order</source>
        <translation>暂停服务</translation>
    </message>
    <message>
        <source>The system cannot change this screen's brightness</source>
        <translation>系统无法调节此屏幕的亮度</translation>
    </message>
    <message>
        <source>{value}%</source>
        <translation>{value}%</translation>
    </message>
    <message>
        <source>Take out of order</source>
        <translation>设为暂停服务</translation>
    </message>
    <message>
        <source>Put back in order</source>
        <translation>恢复服务</translation>
    </message>
    <message>
        <source>Really exit?</source>
        <translation>确定退出？</translation>
    </message>
    <message>
        <source>Exit the program</source>
        <translation>退出程序</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>The journal was damaged. It is saved in {folder}, and a new one was created. Count every slot, and reverse open payments at the terminal.</source>
        <translation>日志已损坏。旧日志保存在 {folder}，已新建日志：请清点每个货道，并在终端上冲正未结的付款。</translation>
    </message>
    <message>
        <source>The journal was missing, and a new one was created. Look for the old one or a copy, count every slot, and reverse open payments at the terminal. Remaining files are in {folder}.</source>
        <translation>日志已丢失，已新建日志：请寻找旧日志或其副本，清点每个货道，并在终端上冲正未结的付款。残留文件保存在 {folder}。</translation>
    </message>
    <message>
        <source>Open payments: {payments}</source>
        <translation>未结付款：{payments}</translation>
    </message>
</context>
<context>
    <name>ShopStrings</name>
    <message>
        <source>Simulated: no real money, no real goods</source>
        <translation>模拟：非真实货币，非真实商品</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>返回</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>What would you like?</source>
        <translation>您想要什么？</translation>
    </message>
    <message>
        <source>A camera can estimate your age and gender while you shop, on this machine alone. No picture is stored or sent. Until you choose, nothing is estimated.</source>
        <translation>购物时，摄像头可以估计您的年龄和性别，仅在本机内进行。不保存、不传送任何画面。在您选择之前，不作任何估计。</translation>
    </message>
    <message>
        <source>With the camera, the machine counts visitors per age group and hour.</source>
        <translation>使用摄像头时，会统计每小时各年龄组的人数。</translation>
    </message>
    <message>
        <source>{said} {counted}</source>
        <translation>{said}{counted}</translation>
    </message>
    <message>
        <source>With the camera</source>
        <translation>使用摄像头</translation>
    </message>
    <message>
        <source>See your live estimate</source>
        <translation>实时查看估计结果</translation>
    </message>
    <message>
        <source>You may not need an ID for age limits</source>
        <translation>购买限龄商品时可能无需证件</translation>
    </message>
    <message>
        <source>Without the camera</source>
        <translation>不使用摄像头</translation>
    </message>
    <message>
        <source>Nothing is estimated</source>
        <translation>不作任何估计</translation>
    </message>
    <message>
        <source>Large text</source>
        <translation>大字</translation>
    </message>
    <message>
        <source>Everything lower</source>
        <translation>全部下移</translation>
    </message>
    <message>
        <source>Choose a product</source>
        <translation>请选择商品</translation>
    </message>
    <message>
        <source>Sold out</source>
        <translation>已售完</translation>
    </message>
    <message>
        <source>Last one</source>
        <translation>仅剩一件</translation>
    </message>
    <message>
        <source>Previous page</source>
        <translation>上一页</translation>
    </message>
    <message>
        <source>Next page</source>
        <translation>下一页</translation>
    </message>
    <message>
        <source>{number} / {pages}</source>
        <translation>{number} / {pages}</translation>
    </message>
    <message>
        <source>Camera on</source>
        <translation>开启摄像头</translation>
    </message>
    <message>
        <source>Camera off</source>
        <translation>关闭摄像头</translation>
    </message>
    <message>
        <source>Pay {price}</source>
        <translation>支付 {price}</translation>
    </message>
    <message>
        <source>From {years} years. We check your age before you pay.</source>
        <translation>限 {years} 岁以上。付款前将验证年龄。</translation>
    </message>
    <message>
        <source>Age check</source>
        <translation>年龄验证</translation>
    </message>
    <message>
        <source>Look at the screen</source>
        <translation>请看屏幕</translation>
    </message>
    <message>
        <source>It takes a few seconds</source>
        <translation>只需几秒钟</translation>
    </message>
    <message>
        <source>One person, please</source>
        <translation>请一人操作</translation>
    </message>
    <message>
        <source>Ask the others to step aside</source>
        <translation>请其他人稍让一步</translation>
    </message>
    <message>
        <source>A little closer</source>
        <translation>请靠近一点</translation>
    </message>
    <message>
        <source>Step up to the machine</source>
        <translation>请走近机器</translation>
    </message>
    <message>
        <source>Hold still</source>
        <translation>请保持不动</translation>
    </message>
    <message>
        <source>Keep looking at the screen</source>
        <translation>请继续看屏幕</translation>
    </message>
    <message>
        <source>Turn your head slowly</source>
        <translation>请慢慢转头</translation>
    </message>
    <message>
        <source>A little left, a little right</source>
        <translation>先向左，再向右</translation>
    </message>
    <message>
        <source>Your ID, please</source>
        <translation>请出示证件</translation>
    </message>
    <message>
        <source>The camera could not decide</source>
        <translation>摄像头无法判断</translation>
    </message>
    <message>
        <source>Thank you</source>
        <translation>谢谢</translation>
    </message>
    <message>
        <source>Next: payment</source>
        <translation>接下来付款</translation>
    </message>
    <message>
        <source>Show an ID instead</source>
        <translation>改用证件</translation>
    </message>
    <message>
        <source>Hold your ID to the reader, or show it to the staff, who type their PIN here.</source>
        <translation>请将证件放在读卡器上，或出示给工作人员，由其在此输入 PIN。</translation>
    </message>
    <message>
        <source>Please show your ID to the staff. They type their PIN here.</source>
        <translation>请将证件出示给工作人员，由其在此输入 PIN。</translation>
    </message>
    <message>
        <source>Hold your ID to the reader.</source>
        <translation>请将证件放在读卡器上。</translation>
    </message>
    <message>
        <source>Staff: {years} or older?</source>
        <translation>工作人员：是否年满 {years} 岁？</translation>
    </message>
    <message>
        <source>Wrong PIN</source>
        <translation>PIN 错误</translation>
    </message>
    <message>
        <source>Next try in {seconds} s</source>
        <translation>{seconds} 秒后可重试</translation>
    </message>
    <message>
        <source>Erase</source>
        <translation>删除</translation>
    </message>
    <message>
        <source>Confirm</source>
        <translation>确认</translation>
    </message>
    <message>
        <source>Sorry, not this one</source>
        <translation>抱歉，无法出售这件商品</translation>
    </message>
    <message>
        <source>This machine sells it only after an ID check. You can buy anything else.</source>
        <translation>须查验证件后才能出售。其他商品均可选购。</translation>
    </message>
    <message>
        <source>Other products</source>
        <translation>其他商品</translation>
    </message>
    <message>
        <source>Tap or insert your card</source>
        <translation>请刷卡或插卡</translation>
    </message>
    <message>
        <source>At the reader. If it asks for a PIN, type it there.</source>
        <translation>在读卡器上操作。如需 PIN，请在读卡器上输入。</translation>
    </message>
    <message>
        <source>The card was declined</source>
        <translation>卡被拒绝</translation>
    </message>
    <message>
        <source>Nothing was charged. Another card may work.</source>
        <translation>未扣款。可以换一张卡再试。</translation>
    </message>
    <message>
        <source>Payment cancelled</source>
        <translation>付款已取消</translation>
    </message>
    <message>
        <source>Nothing was charged.</source>
        <translation>未扣款。</translation>
    </message>
    <message>
        <source>No card came</source>
        <translation>未检测到卡</translation>
    </message>
    <message>
        <source>The payment did not work</source>
        <translation>付款未成功</translation>
    </message>
    <message>
        <source>Nothing was charged. It is the machine's fault, not your card's.</source>
        <translation>未扣款。问题在机器，与您的卡无关。</translation>
    </message>
    <message>
        <source>If your card was charged, you will get the money back. Keep this number: {number}</source>
        <translation>如果您的卡已被扣款，款项会退还给您。请保存此编号：{number}</translation>
    </message>
    <message>
        <source>Scan to keep this number</source>
        <translation>扫码保存此编号</translation>
    </message>
    <message>
        <source>One moment, the reader is still busy.</source>
        <translation>请稍候，读卡器仍在处理。</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>再试一次</translation>
    </message>
    <message>
        <source>Here it comes</source>
        <translation>正在出货</translation>
    </message>
    <message>
        <source>Take it from the tray below</source>
        <translation>请从下方取货口取出</translation>
    </message>
    <message>
        <source>Your product did not come. We are sorry.</source>
        <translation>商品未落下。非常抱歉。</translation>
    </message>
    <message>
        <source>Your product is stuck. We are sorry.</source>
        <translation>商品卡住了。非常抱歉。</translation>
    </message>
    <message>
        <source>This slot cannot sell just now. We are sorry.</source>
        <translation>此货道暂时无法出售。非常抱歉。</translation>
    </message>
    <message>
        <source>You get your money back</source>
        <translation>正在为您退款</translation>
    </message>
    <message>
        <source>Your product is in the tray below</source>
        <translation>商品在下方取货口</translation>
    </message>
    <message>
        <source>Your money is back</source>
        <translation>已退款</translation>
    </message>
    <message>
        <source>Nothing is charged. We are sorry.</source>
        <translation>不会扣款。非常抱歉。</translation>
    </message>
    <message>
        <source>Your refund is on its way</source>
        <translation>退款正在处理</translation>
    </message>
    <message>
        <source>The reader is slow to respond. Keep this number, so that the operator can find your payment.</source>
        <translation>读卡器响应较慢。请保留此编号，运营方可据此查找您的付款。</translation>
    </message>
    <message>
        <source>Receipt</source>
        <translation>收据</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>Sale</source>
        <translation>交易</translation>
    </message>
    <message>
        <source>Payment</source>
        <translation>付款</translation>
    </message>
    <message>
        <source>Scan to keep your receipt</source>
        <translation>扫码带走收据</translation>
    </message>
    <message>
        <source>Are you still there?</source>
        <translation>您还在吗？</translation>
    </message>
    <message>
        <source>Otherwise everything is cleared</source>
        <translation>否则将清除全部内容</translation>
    </message>
    <message>
        <source>Yes, go on</source>
        <translation>在，继续</translation>
    </message>
    <message>
        <source>No, clear it</source>
        <translation>不，清除</translation>
    </message>
    <message>
        <source>Out of order</source>
        <translation>暂停服务</translation>
    </message>
    <message>
        <source>We are sorry. This machine cannot sell just now.</source>
        <translation>非常抱歉，本机暂时无法出售商品。</translation>
    </message>
    <message>
        <source>Service: {why}</source>
        <translation>维护：{why}</translation>
    </message>
    <message>
        <source>The camera is not available</source>
        <translation>摄像头不可用</translation>
    </message>
    <message>
        <source>You can shop on without it</source>
        <translation>您可以继续购物</translation>
    </message>
</context>
<context>
    <name>Strings</name>
    <message>
        <source>Female</source>
        <translation>女性</translation>
    </message>
    <message>
        <source>Male</source>
        <translation>男性</translation>
    </message>
    <message>
        <source>F</source>
        <translation>女</translation>
    </message>
    <message>
        <source>M</source>
        <translation>男</translation>
    </message>
    <message>
        <source>{percent}%</source>
        <translation>{percent}%</translation>
    </message>
    <message>
        <source>about</source>
        <translation>约</translation>
    </message>
    <message>
        <source>Estimating…</source>
        <translation>正在估计…</translation>
    </message>
    <message>
        <source>Unknown</source>
        <translation>未知</translation>
    </message>
    <message>
        <source>Nearest of {faces} people</source>
        <translation>{faces} 人中最近的一位</translation>
    </message>
    <message>
        <source>Live estimate</source>
        <translation>实时估计</translation>
    </message>
    <message>
        <source>Step closer</source>
        <translation>请走近一点</translation>
    </message>
    <message>
        <source>Look at the screen</source>
        <translation>请看屏幕</translation>
    </message>
    <message>
        <source>The picture is not clear enough. Try facing the light.</source>
        <translation>画面不够清晰。请面向光线。</translation>
    </message>
    <message>
        <source>One moment</source>
        <translation>请稍候</translation>
    </message>
    <message>
        <source>The estimate appears here</source>
        <translation>估计结果将显示在此</translation>
    </message>
    <message>
        <source>No estimate</source>
        <translation>无估计</translation>
    </message>
    <message>
        <source>There is no live picture</source>
        <translation>没有实时画面</translation>
    </message>
    <message>
        <source>Estimated live on this machine.</source>
        <translation>仅在本机实时估计。</translation>
    </message>
    <message>
        <source>Nothing is stored.</source>
        <translation>不保存任何内容。</translation>
    </message>
    <message>
        <source>Only hourly counts by age group are kept.</source>
        <translation>仅保留每小时各年龄组的人数。</translation>
    </message>
    <message>
        <source>Getting ready</source>
        <translation>正在准备</translation>
    </message>
    <message>
        <source>The camera is starting</source>
        <translation>摄像头正在启动</translation>
    </message>
    <message>
        <source>No camera</source>
        <translation>没有摄像头</translation>
    </message>
    <message>
        <source>The picture returns when a camera responds</source>
        <translation>摄像头恢复后画面将重新出现</translation>
    </message>
    <message>
        <source>Just a moment</source>
        <translation>请稍候</translation>
    </message>
    <message>
        <source>The camera is starting again</source>
        <translation>摄像头正在重新启动</translation>
    </message>
    <message>
        <source>The end</source>
        <translation>结束</translation>
    </message>
    <message>
        <source>The recording is over</source>
        <translation>录像已结束</translation>
    </message>
    <message>
        <source>Out of service</source>
        <translation>停止服务</translation>
    </message>
    <message>
        <source>The camera cannot work with these settings</source>
        <translation>摄像头设置有误，无法工作</translation>
    </message>
    <message>
        <source>{fps} fps · {latency} ms</source>
        <translation>{fps} 帧/秒 · {latency} 毫秒</translation>
    </message>
    <message>
        <source>{pace} · backup engine</source>
        <translation>{pace} · 备用引擎</translation>
    </message>
    <message>
        <source>FacialNet Kiosk</source>
        <translation>FacialNet Kiosk</translation>
    </message>
</context>
</TS>
